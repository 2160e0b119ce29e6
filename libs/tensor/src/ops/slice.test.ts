import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ancestors, compile, grad, mul, scalar, slice, square, sum, tensor, type Variable } from '../index.js';
import { expectEnginesAgree, expectEnginesAgreeOn } from '../../test/agreement.js';
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

describe('slice', () => {
  const property = anyShape({ minRank: 1 }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
      start: fc.option(fc.integer({ min: -5, max: 5 })),
      stop: fc.option(fc.integer({ min: -5, max: 5 })),
      step: fc.constantFrom(1, 1, 1, -1, 2, -2, 3),
    }),
  );

  test('1.T-75 both engines agree on any part, empty ones and those beyond the ends included', async () => {
    const values = property.chain((what) => arrayOf('float32', what.shape, -2, 2).map((value) => ({ ...what, value })));
    await expectEnginesAgreeOn(values, 30, ({ value, axis, start, stop, step }) => ({
      build: (x) => square(slice(present(x), start, stop, { axis, step })),
      values: [value],
      gradients: true,
    }));
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(property, ({ shape, axis, start, stop, step }) =>
        expectGradientsRight((x) => square(slice(present(x), start, stop, { axis, step })), [spread(shape, -2, 2)]),
      ),
      { numRuns: 15 },
    );
  });

  test('the gradient of its gradient is right too', async () => {
    await expectGradientsRight(slope, [spread([2, 4], -2, 2)]);
    await expectEnginesAgree(slope, [arrayLike([3, 4])], { gradients: true });
  });

  test.each([1, -1, 2, -3])('bounds may be computed, and mean what numbers mean: a step of %i', async (step) => {
    const [x, start, stop] = [tensor('x', 'float32', [null]), scalar('start', 'int32'), scalar('stop', 'int64')];
    const part = slice(x, start, stop, { step });
    const gradient = present(grad(sum(mul(square(part), part)), [x])[0]);
    const second = present(grad(sum(square(gradient)), [x])[0]);
    const functions = await Promise.all(
      (['reference', 'onnxruntime'] as const).map((engine) =>
        compile({ inputs: [x, start, stop], outputs: [part, gradient, second], engine }),
      ),
    );
    const value = array('float32', [4], [1, 2, 3, 4]);
    for (let from = -6; from <= 6; from += 1) {
      for (let to = -6; to <= 6; to += 1) {
        const values = [value, array('int32', [], [from]), array('int64', [], [to])];
        const fixed = await evaluate('reference', (v) => slice(present(v), from, to, { step }), [value]);
        for (const f of functions) {
          const [got, once, twice] = await f.run(values);
          expectClose(present(got), fixed);
          const taken = [1, 2, 3, 4].map((element) => (fixed.data.some((one) => one === element) ? element : 0));
          const [slopes, curves] = [
            taken.map((element) => 3 * element ** 2),
            taken.map((element) => 36 * element ** 3),
          ];
          expectClose(present(once), array('float32', [4], slopes));
          expectClose(present(twice), array('float32', [4], curves));
        }
      }
    }
    for (const f of functions) await f.dispose();
  });

  test('what is not an integer is refused', () => {
    const x = tensor('x', 'float32', [3]);
    expect(() => slice(x, 0.5, 2)).toThrow('slice: argument 2, start, is 0.5; give an integer');
    expect(() => slice(x, scalar('s'), 2)).toThrow('slice: argument 2, start, is `s` float32 (); give');
    expect(() => slice(x, tensor('at', 'int64', [2]), 2)).toThrow(
      'argument 2, start, is `at` int64 (2,); give an integer',
    );
    expect(() => slice(x, tensor('b', 'bool', []), 2)).toThrow('argument 2, start, is `b` bool (); give an integer');
    expect(() => slice(x, 0, 2, { step: 0 })).toThrow('slice: `x` float32 (3,) cannot be cut in steps of 0');
  });

  test('the size of a part is known where that of the axis and both bounds are', () => {
    const x = tensor('x', 'float32', [null, 7]);
    expect(slice(x, -1, null, { axis: 1, step: -2 }).shape).toEqual([null, 4]);
    expect(slice(x, -3, -1, { axis: 1 }).shape).toEqual([null, 2]);
    expect(slice(x, 1, 3).shape).toEqual([null, 7]);
  });
});

/** The gradient of a cost made of two overlapping parts of x. */
function slope(x?: Variable): Variable {
  const cost = sum(mul(square(slice(present(x), 1, 3, { axis: 1 })), slice(present(x), 0, 2, { axis: 1 })));
  const [gradient] = grad(cost, [present(x)]);
  return present(gradient);
}

function arrayLike(shape: readonly [number, number]): ReturnType<typeof array> {
  return array(
    'float32',
    shape,
    Array.from({ length: shape[0] * shape[1] }, (_, at) => at + 1),
  );
}

test('sizes that are known stay known in the second derivative', () => {
  const x = tensor('x', 'float64', [2, 3]);
  const [first] = grad(sum(square(slice(x, 1, 3, { axis: 1 }))), [x]);
  const [second] = grad(sum(square(present(first))), [x]);
  const shapes = ancestors([present(second)]).map(({ shape }) => shape);
  expect(shapes.flat()).not.toContain(null);
});
