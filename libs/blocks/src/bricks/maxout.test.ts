import { RandomStreams } from '@longrun/serialization';
import { matrix, tensor } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { evaluate } from '../../test/evaluate.js';
import { float32 } from '../../test/tiny-experiment.js';
import { Constant } from '../initialization/constant.js';
import { IdentityMatrix } from '../initialization/identity-matrix.js';
import { LinearMaxout } from './linear-maxout.js';
import { Maxout } from './maxout.js';

test('the largest of each number of neighbours is taken (1.9-83)', async () => {
  const x = matrix('x');
  const brick = new Maxout({ numPieces: 3 });

  expect(await evaluate(brick.apply(x), [[x, float32([2, 6], [1, 5, 2, -3, -1, -2, 0, 0, 0, 9, 8, 7])]])).toEqual([
    5, -1, 0, 9,
  ]);
  expect(brick.apply(tensor('x', 'float32', [null, 2, 6])).shape).toEqual([null, 2, 2]);
});

test('what is not made of such pieces is refused', () => {
  expect(() => new Maxout({ numPieces: 4 }).apply(tensor('x', 'float32', [null, 6]))).toThrow(
    '/maxout.apply: the last axis of the input has 6 elements, which are not pieces of 4; give a multiple of numPieces',
  );
  expect(() => new Maxout({ numPieces: 0 })).toThrow('/maxout: numPieces is 0; give a whole number of at least 1');
});

test('of linear functions, by a linear brick of as many outputs (1.9-84)', async () => {
  const brick = new LinearMaxout({
    inputDim: 4,
    outputDim: 2,
    numPieces: 2,
    weightsInit: new IdentityMatrix(),
    biasesInit: new Constant([0, 0, 0, 10]),
  });
  brick.initialize(new RandomStreams(1));
  const x = matrix('x');

  expect(brick.linear.W.shape).toEqual([4, 4]);
  expect(await evaluate(brick.apply(x), [[x, float32([1, 4], [3, 7, 5, 1])]])).toEqual([7, 11]);
  expect([brick.getDim('input'), brick.getDim('output'), brick.linear.uniquePath]).toEqual([
    4,
    2,
    '/linearmaxout/linear',
  ]);
});
