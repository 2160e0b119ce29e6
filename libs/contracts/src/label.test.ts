import { expect, test } from 'vitest';

import { ExperimentSpec } from './experiment-spec.js';
import { isFault } from './fault.js';
import { Label, labelFaults } from './label.js';

test.each(['\x1B[2J', '\r', '\n', '\t', '\x7F', '\x9B', '\u202E', '\u2066', '\u2028'])('%j is in no label', (text) => {
  expect(Label.safeParse(`a${text}b`).success).toBe(false);
  const spec = { name: `a${text}b`, tags: ['fine', `a${text}b`], notes: undefined };
  const faults = labelFaults(spec);
  expect(faults.map(({ path }) => path)).toEqual([['name'], ['tags', 1]]);
  expect(faults.every(isFault)).toBe(true);
});

test('text of all languages is', () => {
  for (const text of ['naïve', '語 😀', 'שלום‏']) {
    expect(Label.parse(text)).toBe(text);
    expect(labelFaults({ name: text, tags: [text], notes: text })).toEqual([]);
  }
});

test('notes may have lines and tabs, and nothing else that cannot be seen', () => {
  expect(labelFaults({ notes: 'first\n\tsecond\r\nthird' })).toEqual([]);
  expect(labelFaults({ notes: 'over\rwritten' })).toMatchObject([{ path: ['notes'] }]);
});

test('what was decoded wrongly is no name', () => {
  expect(labelFaults({ name: 'na\uFFFDve' })).toMatchObject([
    { path: ['name'], facts: { remedy: 'send it in UTF-8' } },
  ]);
});

test('a spec of an older version is read whatever its name is', () => {
  expect(ExperimentSpec.parse({ program: 'mlp', dataset: 'digits', name: 'a\tb' }).name).toBe('a\tb');
});
