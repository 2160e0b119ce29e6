import { expect, test } from 'vitest';

import { checkVersion, countIn, countsIn, flagIn, StateMismatch, stateIn, statesIn } from './state.js';

test('versions from 1 to the supported one pass', () => {
  for (const version of [1, 2, 3]) checkVersion('Counter', { version }, 3);
});

test('a newer version names what was found, what can be read, and the remedy', () => {
  expect(() => checkVersion('ShuffledScheme', { version: 7 }, 1)).toThrow(StateMismatch);
  expect(() => checkVersion('ShuffledScheme', { version: 7 }, 1)).toThrow(
    'ShuffledScheme: saved state has version 7, this build reads 1..1; it was written by a newer build, go on with that one',
  );
});

test.each([0, -1, 1.5, Number.NaN])('version %s is refused', (version) => {
  expect(() => checkVersion('Counter', { version }, 3)).toThrow(StateMismatch);
});

test('fields of a state are read as what they should be, or refused by name', () => {
  const part = { version: 1 };
  const state = { version: 1, count: 3, counts: [0, 2], flag: false, part, parts: [part, part] };
  expect(countIn('K', state, 'count')).toBe(3);
  expect(countsIn('K', state, 'counts')).toEqual([0, 2]);
  expect(flagIn('K', state, 'flag')).toBe(false);
  expect(stateIn('K', state, 'part')).toBe(part);
  expect(statesIn('K', state, 'parts', 2)).toEqual([part, part]);

  expect(() => countIn('K', { version: 1, count: -1 }, 'count')).toThrow(
    'K: the saved state has count -1, which should',
  );
  expect(() => countsIn('K', { version: 1, counts: [0.5] }, 'counts')).toThrow('counts [0.5], which should be whole');
  expect(() => flagIn('K', state, 'missing')).toThrow(
    'K: the saved state has missing null, which should be true or false',
  );
  expect(() => stateIn('K', state, 'counts')).toThrow('K: the saved state has no state of its counts');
  expect(() => statesIn('K', state, 'parts', 3)).toThrow('should have the states of 3 parts, but has 2');
  expect(() => statesIn('K', state, 'part', 1)).toThrow(StateMismatch);
});
