import { describe, expect, test } from 'vitest';

import { dimension, fill, mul, onesLike, square, sum, tensor, zerosLike } from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread } from '../../test/op-laws.js';

describe('fill', () => {
  test('both engines agree, batches of 0 and 1 included', async () => {
    for (const rows of [0, 1, 3]) {
      const like = arrayLike([rows, 2]);
      await expectEnginesAgree((x) => mul(zerosLike(present(x)), present(x)), [like], { gradients: true });
      await expectEnginesAgree((x) => onesLike(present(x)), [like], { gradients: true });
      await expectEnginesAgree(
        (x, value) => fill(present(x), square(present(value))),
        [like, array('float32', [2], [3, 4])],
        { gradients: true },
      );
    }
  });

  test('1.T-49, 1.T-51: ones and zeros like x have its shape and dtype', async () => {
    for (const dtype of ['float32', 'int64', 'bool'] as const) {
      const like = array(dtype, [2, 1], [0, 1]);
      for (const engine of ['reference', 'onnxruntime'] as const) {
        expectClose(await evaluate(engine, (x) => onesLike(present(x)), [like]), array(dtype, [2, 1], [1, 1]));
        expectClose(await evaluate(engine, (x) => zerosLike(present(x)), [like]), array(dtype, [2, 1], [0, 0]));
      }
    }
  });

  test('the gradient is that of finite differences', async () => {
    await expectGradientsRight(
      (x, value) => fill(present(x), square(present(value))),
      [spread([3, 2], -1, 1), spread([2], -1, 1, 1)],
    );
    await expectGradientsRight(
      (x, value) => fill(present(x), square(present(value))),
      [spread([3, 2], -1, 1), spread([1, 1], -1, 1, 1)],
    );
  });

  test('a value that does not broadcast is refused', () => {
    expect(() => fill(tensor('x', 'float32', [3]), tensor('v', 'float32', [2]))).toThrow(
      'fill: `v` float32 (2,) does not broadcast to the shape of `x` float32 (3,)',
    );
  });
});

describe('1.T-74: dimension', () => {
  test('is a size as an int64 scalar, on both engines, and a constant where it is known', async () => {
    expectClose(
      await evaluate('reference', (x) => dimension(present(x), -2), [arrayLike([3, 2])]),
      array('int64', [], [3]),
    );
    await expectEnginesAgree((x) => dimension(present(x), -2), [arrayLike([3, 2])]);
    expect(dimension(tensor('x', 'float32', [null, 7]), 1).toString()).toBe('7');
    expect(sum(tensor('x', 'float32', [null, 7]), { axis: 0 }).shape).toEqual([7]);
  });
});

function arrayLike(shape: readonly [number, number]): ReturnType<typeof array> {
  return array(
    'float32',
    shape,
    Array.from({ length: shape[0] * shape[1] }, (_, at) => at + 1),
  );
}
