import { matrix } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { checkValidPermutation } from '../initialization/valid-permutation.js';
import { FixedPermutation } from './fixed-permutation.js';

test.each([true, false])('puts the last axis in another order, with dot: %s (1.19-09)', async (dot) => {
  const x = matrix('x');
  const output = new FixedPermutation({ order: [2, 0, 1], dot }).apply(x);

  expect(await evaluate(output, [[x, float32([2, 3], [1, 2, 3, 4, 5, 6])]])).toEqual([3, 1, 2, 6, 4, 5]);
});

test('what is no permutation is refused (1.19-40)', () => {
  expect(() => checkValidPermutation([1, 0, 2])).not.toThrow();
  expect(() => checkValidPermutation([1, 1, 2])).toThrow('checkValidPermutation: order is [1, 1, 2]; give');
  for (const order of [[0, 0], [1, 2], [], [0, 1, 1.5]]) {
    expect(() => new FixedPermutation({ order })).toThrow('give every number from 0 to its length, once each');
  }
});
