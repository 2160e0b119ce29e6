import { describe, expect, test } from 'vitest';

import { batchNormalization, layerNormalization, mean, tensor, variance, type Variable } from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread } from '../../test/op-laws.js';

/** As a brick does in training: statistics of the batch, one for each of the features. */
function ofTheBatch(x?: Variable, gamma?: Variable, beta?: Variable): Variable {
  const over = { axis: 0, keepdims: true };
  return batchNormalization(
    present(x),
    present(gamma),
    present(beta),
    mean(present(x), over),
    variance(present(x), over),
  );
}

describe('1.T-39: batchNormalization', () => {
  test('the gradients are those of finite differences, through the statistics of the batch too', async () => {
    await expectGradientsRight(ofTheBatch, [spread([4, 3], -2, 2), spread([1, 3], 0.5, 1.5, 1), spread([1, 3], -1, 1)]);
  });

  test('engines agree, on a batch of one and on an empty one too', async () => {
    for (const size of [4, 1, 0]) {
      const x = array(
        'float32',
        [size, 2],
        Array.from({ length: size * 2 }, (_, at) => Math.sin(at * 3)),
      );
      await expectEnginesAgree(ofTheBatch, [x, array('float32', [1, 2], [1, 2]), array('float32', [1, 2], [0, -1])], {
        gradients: true,
        tolerance: 1e-5,
      });
    }
  });

  test('a standard deviation is handed over as its square, without an epsilon', async () => {
    const build = (x?: Variable, stdev?: Variable): Variable =>
      batchNormalization(present(x), 3, 1, 2, present(stdev), { epsilon: 0 });
    const result = await evaluate('onnxruntime', build, [array('float64', [2], [2, 6]), array('float64', [], [4])]);
    expectClose(result, array('float64', [2], [1, 7]));
  });
});

describe('layerNormalization', () => {
  test.each([-1, [1, 2]])('the gradients are those of finite differences, over axes %o', async (axis) => {
    const build = (x?: Variable, gamma?: Variable, beta?: Variable): Variable =>
      layerNormalization(present(x), present(gamma), present(beta), { axis });
    await expectGradientsRight(build, [spread([2, 2, 3], -2, 2), spread([3], 0.5, 1.5, 1), spread([3], -1, 1)]);
  });

  test('an axis that is not there is refused', () => {
    expect(() => layerNormalization(tensor('x', 'float32', [3]), 1, 0, { axis: 1 })).toThrow(
      'layerNormalization: `x` float32 (3,) has 1 axes but axis is 1; give one from -1 to 0',
    );
  });
});
