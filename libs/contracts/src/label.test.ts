import { expect, test } from 'vitest';

import { ExperimentSpec } from './experiment-spec.js';
import { isFault } from './fault.js';
import { Label, labelFaults } from './label.js';
import { DrainRequest } from './worker.js';

const UNSEEN = ['\x1B[2J', '\r', '\n', '\t', '\x7F', '\x9B', '\u202E', '\u2066', '\u2028'];
/** Joiners, marks of direction, marks of byte order, fillers. */
const WITHOUT_ROOM = [
  '\u200B',
  '\u200C',
  '\u200D',
  '\u200E',
  '\u200F',
  '\u061C',
  '\uFEFF',
  '\u00AD',
  '\u2060',
  '\u3164',
];

test.each([...UNSEEN, ...WITHOUT_ROOM, '\uFFFD'])('%j is in no label', (text) => {
  expect(Label.safeParse(`a${text}b`).success).toBe(false);
  const spec = { name: `a${text}b`, tags: ['fine', `a${text}b`], notes: undefined };
  const faults = labelFaults(spec);
  expect(faults.map(({ path }) => path)).toEqual([['name'], ['tags', 1]]);
  expect(faults.every(isFault)).toBe(true);
});

test('text of all languages is', () => {
  for (const text of ['naïve', '語 😀', 'שלום', '❤️ 👍🏽']) {
    expect(Label.parse(text)).toBe(text);
    expect(labelFaults({ name: text, tags: [text], notes: text })).toEqual([]);
  }
});

test('notes may have lines and tabs, and nothing else that cannot be seen', () => {
  expect(labelFaults({ notes: 'first\n\tsecond\r\nthird' })).toEqual([]);
  expect(labelFaults({ notes: 'over\rwritten' })).toMatchObject([{ path: ['notes'] }]);
});

test('notes may have what joins and parts characters, as emoji and some scripts need it', () => {
  expect(labelFaults({ notes: '👩‍💻 می‌خواهم שלום‏' })).toEqual([]);
});

test('what cannot be seen is named', () => {
  expect(Label.safeParse('a\u200Bb').error?.issues).toMatchObject([
    { message: 'U+200B is in it, which cannot be seen', params: { remedy: 'remove it' } },
  ]);
});

test('what was decoded wrongly is no text for people', () => {
  const text = 'caf\uFFFD';
  expect(labelFaults({ name: text, tags: [text], notes: `${text}\n` })).toMatchObject(
    [['name'], ['tags', 0], ['notes']].map((path) => ({ path, facts: { remedy: 'send it in UTF-8' } })),
  );
  expect(DrainRequest.safeParse({ reason: text }).error?.issues).toMatchObject([
    { path: ['reason'], params: { remedy: 'send it in UTF-8' } },
  ]);
});

test('a spec of an older version is read whatever its name is', () => {
  expect(ExperimentSpec.parse({ program: 'mlp', dataset: 'digits', name: 'a\tb' }).name).toBe('a\tb');
});
