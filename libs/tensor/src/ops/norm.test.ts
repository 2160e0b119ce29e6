import { describe, expect, test } from 'vitest';

import { grad, l2Norm, norm, sum, type Variable } from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread } from '../../test/op-laws.js';

describe('1.T-69: norm', () => {
  test.each([
    { order: 0, expected: [2, 0] },
    { order: 1, expected: [7, 0] },
    { order: 2, expected: [5, 0] },
    { order: 3, expected: [Math.cbrt(91), 0] },
    { order: Infinity, expected: [4, 0] },
    { order: -Infinity, expected: [0, 0] },
  ])('of order $order', async ({ order, expected }) => {
    const build = (x?: Variable): Variable => norm(present(x), { axis: -1, order });
    for (const engine of ['reference', 'onnxruntime'] as const) {
      const result = await evaluate(engine, build, [array('float64', [2, 3], [3, -4, 0, 0, 0, 0])]);
      expectClose(result, array('float64', [2], expected));
    }
    if (order !== 0) await expectGradientsRight(build, [spread([2, 3], -2, 2)]);
  });

  test.each([0.5, 1, 2, 3, Infinity])('of order %d has a gradient of 0 at 0, as in PyTorch', async (order) => {
    const slope = (x?: Variable): Variable => slopeOf(norm(present(x), { axis: 1, order }), x);
    const rows = array('float32', [2, 2], [0, 0, 0, 4]);
    for (const engine of ['reference', 'onnxruntime', 'tfjs'] as const) {
      expectClose(await evaluate(engine, slope, [rows]), array('float32', [2, 2], [0, 0, 0, 1]));
      expectClose(
        await evaluate(engine, (x) => norm(present(x), { axis: 1, order }), [
          array('float32', [2, 2], [0, Number.NaN, Infinity, 0]),
        ]),
        array('float32', [2], [Number.NaN, Infinity]),
      );
    }
  });

  test.each([-1, -2, -Infinity])('of order %d is 0 where an element is, with a gradient of 0', async (order) => {
    const build = (x?: Variable): Variable => norm(present(x), { axis: 1, order });
    const rows = array('float32', [2, 2], [0, 0, 0, 4]);
    for (const engine of ['reference', 'onnxruntime', 'tfjs'] as const) {
      const slope = await evaluate(engine, (x) => slopeOf(build(x), x), [rows]);
      expectClose(slope, array('float32', [2, 2], [0, 0, 0, 0]));
      const holed = array('float32', [2, 2], [0, 4, 0, Number.NaN]);
      expectClose(await evaluate(engine, build, [holed]), array('float32', [2], [0, Number.NaN]));
    }
    await expectGradientsRight(build, [array('float64', [2, 2], [1, -4, 2, 3])]);
  });
});

describe('1.6-04: l2Norm', () => {
  test('is that of all tensors together, whatever their shapes', async () => {
    const values = [array('float32', [2], [1, -2]), array('float32', [], [4]), array('float32', [2, 1], [2, 0])];
    await expectEnginesAgree((...tensors) => l2Norm(tensors), values, { gradients: true });
    expectClose(await evaluate('onnxruntime', (...tensors) => l2Norm(tensors), values), array('float32', [], [5]));
  });

  test('has a gradient of 0 at 0', async () => {
    const slope = (x?: Variable): Variable => slopeOf(l2Norm([present(x), present(x)]), x);
    for (const engine of ['reference', 'onnxruntime', 'tfjs'] as const) {
      expectClose(await evaluate(engine, slope, [array('float32', [2], [0, 0])]), array('float32', [2], [0, 0]));
    }
  });

  test('of no tensors is refused', () => {
    expect(() => l2Norm([])).toThrow('l2Norm: there are no tensors; give one or more');
  });
});

function slopeOf(size: Variable, x?: Variable): Variable {
  return present(grad(sum(size), [present(x)])[0]);
}
