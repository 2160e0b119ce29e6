import type { DType } from '@longrun/serialization';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { argmax, max, mean, sum, tensor, type ReductionOptions, type Variable } from '../index.js';
import {
  anyShape,
  array,
  arrayOf,
  evaluate,
  expectClose,
  expectEnginesAgree,
  expectGradientsRight,
  spread,
  present,
} from '../../test/op-laws.js';

const reductions: readonly {
  readonly name: string;
  readonly op: (x: Variable, options: ReductionOptions) => Variable;
  readonly minSize: number;
}[] = [
  { name: 'sum', op: sum, minSize: 0 },
  { name: 'mean', op: mean, minSize: 0 },
  { name: 'max', op: max, minSize: 1 },
];
const dtypes: readonly DType[] = ['float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'];

/** A shape with some of its axes, negative ones among them. */
function shapeAndAxes(
  minSize: number,
): fc.Arbitrary<{ shape: number[]; axis: number[] | undefined; keepdims: boolean }> {
  return anyShape({ minSize }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.option(
        fc
          .subarray(shape.map((_, at) => at))
          .chain((axes) =>
            fc
              .array(fc.boolean(), { minLength: 3, maxLength: 3 })
              .map((negative) => axes.map((at, k) => (negative[k] ? at - shape.length : at))),
          ),
        { nil: undefined },
      ),
      keepdims: fc.boolean(),
    }),
  );
}

function options(axis: number[] | undefined, keepdims: boolean): ReductionOptions {
  return axis === undefined ? { keepdims } : { axis, keepdims };
}

describe.each(reductions)('$name', ({ op, minSize }) => {
  test.each(dtypes)('both engines agree over any axes: %s', async (dtype) => {
    const property = shapeAndAxes(minSize).chain((what) =>
      arrayOf(dtype, what.shape, dtype.startsWith('uint') ? 0 : -3, 3).map((value) => ({ ...what, value })),
    );
    await fc.assert(
      fc.asyncProperty(property, ({ axis, keepdims, value }) =>
        expectEnginesAgree((x) => op(present(x), options(axis, keepdims)), [value], { gradients: dtype === 'float32' }),
      ),
      { numRuns: dtype.startsWith('float') ? 15 : 4 },
    );
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(shapeAndAxes(1), ({ shape, axis, keepdims }) =>
        expectGradientsRight((x) => op(present(x), options(axis, keepdims)), [spread(shape, -2, 2)]),
      ),
      { numRuns: 15 },
    );
  });

  test('both engines agree on NaN and infinities', async () => {
    const value = array(
      'float32',
      [4, 3],
      [Number.NaN, 1, 2, Infinity, 1, 0, -Infinity, 1, 0, -Infinity, -Infinity, -Infinity],
    );
    await expectEnginesAgree((x) => op(present(x), { axis: 1 }), [value]);
  });

  test('an axis that is not there, or named twice, is refused', () => {
    const x = tensor('x', 'float32', [null, 3]);
    expect(() => op(x, { axis: 2 })).toThrow(/`x` float32 \(null, 3\) has 2 axes but axis is 2; give one from -2 to 1/);
    expect(() => op(x, { axis: [0, -2] })).toThrow(/name one axis twice/);
  });
});

test('integers and bools are summed in int64, and averaged in floats', async () => {
  for (const engine of ['reference', 'onnxruntime'] as const) {
    const flags = array('bool', [4], [1, 0, 1, 1]);
    expectClose(await evaluate(engine, (x) => sum(present(x)), [flags]), array('int64', [], [3]));
    expectClose(await evaluate(engine, (x) => mean(present(x)), [flags]), array('float32', [], [0.75]));
    expectClose(
      await evaluate(engine, (x) => mean(present(x)), [array('int64', [2], [1, 2])]),
      array('float64', [], [1.5]),
    );
    expectClose(
      await evaluate(engine, (x) => sum(present(x)), [array('int8', [2], [100, 100])]),
      array('int64', [], [200]),
    );
  }
});

test('the mean of nothing is NaN and its sum 0', async () => {
  for (const engine of ['reference', 'onnxruntime'] as const) {
    const nothing = array('float32', [0, 2], []);
    expectClose(
      await evaluate(engine, (x) => mean(present(x), { axis: 0 }), [nothing]),
      array('float32', [2], [Number.NaN, Number.NaN]),
    );
    expectClose(await evaluate(engine, (x) => sum(present(x), { axis: 0 }), [nothing]), array('float32', [2], [0, 0]));
  }
});

test('the maximum of nothing is -Infinity, and it has no position', async () => {
  for (const engine of ['reference', 'onnxruntime'] as const) {
    const nothing = array('float32', [0, 2], []);
    expectClose(
      await evaluate(engine, (x) => max(present(x), { axis: 0 }), [nothing]),
      array('float32', [2], [-Infinity, -Infinity]),
    );
    await expect(evaluate(engine, (x) => argmax(present(x), { axis: 0 }), [nothing])).rejects.toThrow(/argmax/i);
  }
});

test('every element that equals the maximum gets the gradient, as in Theano', async () => {
  await expectEnginesAgree((x) => max(present(x), { axis: 1 }), [array('float32', [2, 3], [1, 3, 3, 2, 2, 2])], {
    gradients: true,
  });
});

describe('argmax', () => {
  test.each(dtypes)('both engines agree along any axis, ties included: %s', async (dtype) => {
    const property = anyShape({ minSize: 1, minRank: 1 }).chain((shape) =>
      fc.record({
        value: arrayOf('int8', shape, dtype.startsWith('uint') ? 0 : -2, 2).map((value) =>
          array(dtype, shape, Array.from(value.data, Number)),
        ),
        axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
        keepdims: fc.boolean(),
      }),
    );
    await fc.assert(
      fc.asyncProperty(property, ({ value, axis, keepdims }) =>
        expectEnginesAgree((x) => argmax(present(x), { axis, keepdims }), [value]),
      ),
      { numRuns: dtype === 'float32' ? 15 : 4 },
    );
  });

  test('the first of equal maxima is taken, along the last axis by default', async () => {
    const result = await evaluate('onnxruntime', (x) => argmax(present(x)), [
      array('float32', [2, 3], [1, 3, 3, 2, 2, 2]),
    ]);
    expectClose(result, array('int64', [2], [1, 0]));
  });
});
