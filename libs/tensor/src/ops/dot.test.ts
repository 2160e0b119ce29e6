import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { compile, dot, tensor, type Variable } from '../index.js';
import { expectEnginesAgree, expectEnginesAgreeOn } from '../../test/agreement.js';
import { array, arrayOf, expectGradientsRight, spread, present } from '../../test/op-laws.js';

/** Pairs of shapes that can be multiplied: (..., k) by (k,) or (k, n). */
function shapes(minSize: number): fc.Arbitrary<[number[], number[]]> {
  const size = fc.integer({ min: minSize, max: 4 });
  return fc
    .tuple(fc.array(size, { maxLength: 3 }), size, fc.array(size, { maxLength: 1 }))
    .map(([rows, inner, columns]) => [
      [...rows, inner],
      [inner, ...columns],
    ]);
}

const product = (a?: Variable, b?: Variable): Variable => dot(present(a), present(b));

describe('1.T-21: dot', () => {
  test.each(['float32', 'float64'] as const)(
    'both engines agree on any shapes, empty ones included: %s',
    async (dtype) => {
      const operands = shapes(0).chain(([a, b]) => fc.tuple(arrayOf(dtype, a, -2, 2), arrayOf(dtype, b, -2, 2)));
      await expectEnginesAgreeOn(operands, 20, (values) => ({
        build: product,
        values,
        gradients: true,
        tolerance: 1e-5,
      }));
    },
  );

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(shapes(1), ([a, b]) => expectGradientsRight(product, [spread(a, -2, 2), spread(b, -2, 2, 1)])),
      { numRuns: 12 },
    );
  });

  test('both engines agree on NaN and infinities', async () => {
    const a = array('float32', [3, 2], [Number.NaN, 1, Infinity, 1, 0, -1]);
    const b = array('float32', [2, 2], [1, 0, 2, Infinity]);
    await expectEnginesAgree(product, [a, b]);
  });

  test('sizes that do not match are refused when the graph is built, with both variables and shapes', () => {
    const [x, W] = [tensor('features', 'float32', [null, 784]), tensor('W', 'float32', [500, 10])];
    expect(() => dot(x, W)).toThrow(
      'dot: the last axis of `features` float32 (null, 784) has size 784 but the first axis of `W` float32 (500, 10) has size 500',
    );
    expect(() => dot(tensor('n', 'int64', [2]), tensor('m', 'int64', [2]))).toThrow('are not floats; cast them first');
    expect(() => dot(x, tensor('b', 'float32', [784, 1, 1]))).toThrow('cannot be multiplied; the first needs an axis');
  });

  test('sizes that turn out not to match are an error on both engines', async () => {
    const inputs = [tensor('a', 'float32', [null, null]), tensor('b', 'float32', [null, null])];
    for (const engine of ['reference', 'onnxruntime'] as const) {
      const f = await compile({ inputs, outputs: [product(...inputs)], engine, threads: 1 });
      const run = f.run([array('float32', [1, 2], [1, 2]), array('float32', [3, 1], [1, 2, 3])]);
      await expect(run).rejects.toThrow('`a` has 2 along axis 1 but `b` has 3 along axis 0');
    }
  });
});
