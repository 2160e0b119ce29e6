import { expect, test } from 'vitest';

import { checkVersion, StateMismatch } from './state.js';

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
