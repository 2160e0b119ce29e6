import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { dimshuffle, tensor, transpose } from '../index.js';
import { expectEnginesAgreeOn } from '../../test/agreement.js';
import {
  anyShape,
  array,
  arrayOf,
  evaluate,
  expectClose,
  expectGradientsRight,
  present,
  spread,
} from '../../test/op-laws.js';

describe('1.T-56, 1.T-70: dimshuffle', () => {
  const property = anyShape().chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      order: fc
        .shuffledSubarray(
          shape.map((_, axis) => axis),
          { minLength: shape.length },
        )
        .chain((axes) =>
          fc.array(fc.integer({ min: 0, max: axes.length }), { maxLength: 2 }).map((at) => insertAxes(axes, at)),
        ),
    }),
  );

  test('both engines agree on any order, new axes included', async () => {
    const values = property.chain(({ shape, order }) =>
      arrayOf('float32', shape, -2, 2).map((value) => ({ value, order })),
    );
    await expectEnginesAgreeOn(values, 30, ({ value, order }) => ({
      build: (x) => dimshuffle(present(x), order),
      values: [value],
      gradients: true,
    }));
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(property, ({ shape, order }) =>
        expectGradientsRight((x) => dimshuffle(present(x), order), [spread(shape, -2, 2)]),
      ),
      { numRuns: 15 },
    );
  });

  test('axes of size 1 can be left out, and come back in the gradient', async () => {
    await expectGradientsRight((x) => dimshuffle(present(x), [2, 0]), [spread([3, 1, 2], -1, 1)]);
    expectClose(
      await evaluate('onnxruntime', (x) => dimshuffle(present(x), [2, 0]), [array('float32', [2, 1, 2], [1, 2, 3, 4])]),
      array('float32', [2, 2], [1, 3, 2, 4]),
    );
  });

  test('an axis that may be larger than 1 cannot be left out', () => {
    expect(() => dimshuffle(tensor('x', 'float32', [null, 3]), [1])).toThrow(
      'dimshuffle: `x` float32 (null, 3) cannot be arranged as [1]; each axis may appear once',
    );
  });

  test('1.T-77: transpose reverses the axes', async () => {
    expect(transpose(tensor('x', 'float32', [2, null, 4])).shape).toEqual([4, null, 2]);
    const rows = array('float32', [2, 3], [1, 2, 3, 4, 5, 6]);
    for (const engine of ['reference', 'onnxruntime'] as const) {
      expectClose(
        await evaluate(engine, (x) => transpose(present(x)), [rows]),
        array('float32', [3, 2], [1, 4, 2, 5, 3, 6]),
      );
    }
  });
});

function insertAxes(axes: readonly number[], positions: readonly number[]): (number | 'x')[] {
  const order: (number | 'x')[] = [...axes];
  for (const at of positions) order.splice(at, 0, 'x');
  return order;
}
