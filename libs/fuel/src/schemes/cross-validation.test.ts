import { expect, test } from 'vitest';
import { crossValidation } from './cross-validation.js';
import { SequentialScheme } from './sequential-scheme.js';

const whole = (examples: Uint32Array): SequentialScheme => new SequentialScheme(examples, Math.max(1, examples.length));

test('2.3-13: each fold is validated on once, and trained on else', () => {
  const folds = crossValidation(whole, 6, 3);

  expect(folds.map(({ train, valid, validCount }) => [train.request(0, 0), valid.request(0, 0), validCount])).toEqual([
    [Uint32Array.of(2, 3, 4, 5), Uint32Array.of(0, 1), 2],
    [Uint32Array.of(0, 1, 4, 5), Uint32Array.of(2, 3), 2],
    [Uint32Array.of(0, 1, 2, 3), Uint32Array.of(4, 5), 2],
  ]);
});

test('examples that the folds do not divide are refused, unless they may be of several sizes', () => {
  expect(() => crossValidation(whole, 8, 3)).toThrow('crossValidation: 8 examples do not divide into 3 folds');
  expect(() => crossValidation(whole, 8, 1)).toThrow(/foldsCount is 1; give a whole number of at least 2/);

  const folds = crossValidation(whole, 8, 3, { strict: false });
  expect(folds.map(({ valid }) => valid.request(0, 0))).toEqual([
    Uint32Array.of(0, 1),
    Uint32Array.of(2, 3, 4),
    Uint32Array.of(5, 6, 7),
  ]);
  expect(folds.map(({ validCount }) => validCount)).toEqual([2, 3, 3]);
});
