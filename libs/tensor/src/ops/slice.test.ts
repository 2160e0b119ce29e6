import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ancestors, grad, mul, slice, square, sum, tensor, type Variable } from '../index.js';
import {
  anyShape,
  array,
  arrayOf,
  expectEnginesAgree,
  expectGradientsRight,
  present,
  spread,
} from '../../test/op-laws.js';

describe('slice', () => {
  const property = anyShape({ minRank: 1 }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
      start: fc.nat(4),
      length: fc.nat(4),
    }),
  );

  test('both engines agree on any part, empty ones and those beyond the end included', async () => {
    const values = property.chain((what) => arrayOf('float32', what.shape, -2, 2).map((value) => ({ ...what, value })));
    await fc.assert(
      fc.asyncProperty(values, ({ value, axis, start, length }) =>
        expectEnginesAgree((x) => square(slice(present(x), start, start + length, { axis })), [value], {
          gradients: true,
        }),
      ),
      { numRuns: 30 },
    );
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(property, ({ shape, axis, start, length }) =>
        expectGradientsRight((x) => square(slice(present(x), start, start + length, { axis })), [spread(shape, -2, 2)]),
      ),
      { numRuns: 15 },
    );
  });

  test('the gradient of its gradient is right too', async () => {
    await expectGradientsRight(slope, [spread([2, 4], -2, 2)]);
    await expectEnginesAgree(slope, [arrayLike([3, 4])], { gradients: true });
  });

  test('bounds below 0 are refused', () => {
    expect(() => slice(tensor('x', 'float32', [3]), -1, 2)).toThrow('slice: `x` float32 (3,) cannot be cut at -1');
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
