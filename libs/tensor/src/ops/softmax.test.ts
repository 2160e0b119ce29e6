import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { compile, logSoftmax, softmax, tensor } from '../index.js';
import { expectEnginesAgree, expectEnginesAgreeOn } from '../../test/agreement.js';
import { anyShape, array, arrayOf, evaluate, expectGradientsRight, present, spread } from '../../test/op-laws.js';

const engines = ['reference', 'onnxruntime'] as const;

describe.each([
  { name: '1.T-43: softmax', op: softmax },
  { name: 'logSoftmax', op: logSoftmax },
])('$name', ({ op }) => {
  test.each(['float32', 'float64'] as const)('both engines agree on any shape: %s', async (dtype) => {
    const values = anyShape({ minRank: 1 }).chain((shape) => arrayOf(dtype, shape, -4, 4));
    await expectEnginesAgreeOn(values, 20, (value) => ({
      build: (x) => op(present(x)),
      values: [value],
      gradients: true,
      ...(dtype === 'float32' ? { tolerance: 1e-5 } : {}),
    }));
  });

  test.each(['float32', 'float64'] as const)('of nothing, it takes nothing from others: %s', async (dtype) => {
    const inputs = [tensor('one', dtype, [null]), tensor('square', dtype, [2, 2]), tensor('none', dtype, [null])];
    const f = await compile({ inputs, outputs: inputs.map((input) => op(input)) });
    const results = await f.run(
      [[1], [2, 2], [0]].map((shape) => array(dtype, shape, [...spread(shape, 1, 2).data].map(Number))),
    );
    expect(results.map(({ shape }) => shape)).toEqual([[1], [2, 2], [0]]);
    await f.dispose();
  });

  test('the gradient is that of finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(anyShape({ minRank: 1 }), (shape) =>
        expectGradientsRight((x) => op(present(x)), [spread(shape, -2, 2)]),
      ),
      { numRuns: 15 },
    );
  });

  test('large logits do not overflow', async () => {
    const large = array('float32', [3, 2], [1000, 999, -1000, -1001, 3e38, -3e38]);
    await expectEnginesAgree((x) => op(present(x)), [large], { tolerance: 1e-6 });
    for (const engine of engines) {
      const result = await evaluate(engine, (x) => op(present(x)), [large]);
      expect(Number(result.data[0])).toBeCloseTo(
        op === softmax ? 1 / (1 + Math.exp(-1)) : -Math.log1p(Math.exp(-1)),
        5,
      );
    }
  });

  test('integers and scalars are refused', () => {
    expect(() => op(tensor('n', 'int64', [2]))).toThrow(
      `${op.name}: \`n\` int64 (2,) must be a float with at least one axis`,
    );
    expect(() => op(tensor('s', 'float32', []))).toThrow('must be a float with at least one axis');
  });
});
