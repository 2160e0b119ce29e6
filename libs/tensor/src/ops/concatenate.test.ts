import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { concatenate, square, tensor } from '../index.js';
import { expectEnginesAgreeOn } from '../../test/agreement.js';
import { anyShape, arrayOf, expectGradientsRight, spread } from '../../test/op-laws.js';

describe('1.T-19: concatenate', () => {
  const property = fc
    .tuple(
      anyShape({ minRank: 1 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }),
      fc.nat(2),
    )
    .map(([shape, sizes, axis]) => ({
      shapes: sizes.map((size) => shape.with(axis % shape.length, size)),
      axis: axis % shape.length,
    }));

  test('both engines agree along any axis, empty parts included', async () => {
    const values = property.chain(({ shapes, axis }) =>
      fc.tuple(...shapes.map((shape) => arrayOf('float32', shape, -2, 2))).map((arrays) => ({ arrays, axis })),
    );
    await expectEnginesAgreeOn(values, 30, ({ arrays, axis }) => ({
      build: (...parts) => square(concatenate(parts, axis)),
      values: arrays,
      gradients: true,
    }));
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(property, ({ shapes, axis }) =>
        expectGradientsRight(
          (...parts) => square(concatenate(parts, axis)),
          shapes.map((shape, at) => spread(shape, -2, 2, at)),
        ),
      ),
      { numRuns: 15 },
    );
  });

  test('parts that do not agree in another axis are refused', () => {
    const parts = [tensor('a', 'float32', [2, 3]), tensor('b', 'float32', [2, 4])];
    expect(() => concatenate(parts)).toThrow(
      'concatenate: `a` float32 (2, 3), `b` float32 (2, 4) do not agree in the axes other than 0; they must',
    );
    expect(concatenate(parts, 1).shape).toEqual([2, 7]);
    expect(() => concatenate([])).toThrow('no variables were given');
  });
});
