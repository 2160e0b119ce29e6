import { describe, expect, test } from 'vitest';

import { add, grad, gt, maxPool2d, rectifier, square, sum, tensor, where, type Variable } from '../index.js';
import { present } from '../../test/op-laws.js';
import { expectSameValues, expectUntouched, hard, opsOf } from '../../test/rewrite-tester.js';
import { rectifiedPool } from './rectified-pool.js';
import { rewritten } from './rewritten.js';

const x = tensor('x', 'float32', [2, 1, 4, 6]);

function gradientOf(pooled: Variable): Variable {
  return present(grad(sum(square(add(pooled, -0.5))), [x])[0]);
}

describe.each([{ size: 2 }, { size: 3, strides: 1 }, { size: [2, 3] as const, padding: 1 }])(
  'the gradient of a rectifier before a pool of %o',
  (options) => {
    test('is that of the pool where the maximum is positive, with the same bits', async () => {
      const gradient = gradientOf(maxPool2d(rectifier(x), options));
      const { outputs, history } = rewritten([gradient], { inputs: [x], stages: [[rectifiedPool]] });
      expect(history.fired).toEqual(new Map([[rectifiedPool.name, 1]]));
      expect(opsOf(outputs).at(-1)).toBe('reshape');
      const finite = Array.from(hard(6, 8).data, Number).map((value) => (Number.isFinite(value) ? value : 1.5));
      for (const data of [hard(6, 8).data, Float32Array.from(finite)]) {
        await expectSameValues([x], [gradient], outputs, [{ ...hard(6, 8), shape: [2, 1, 4, 6], data }]);
      }
    });
  },
);

test('what hides another part of the gradient of a pool stays', () => {
  const unpooled = gradientOf(maxPool2d(rectifier(x), { size: 2 })).owner?.inputs[1];
  const other = where(gt(add(x, 1), 0), present(unpooled), 0);
  expectUntouched(rectifiedPool, [other, gradientOf(rectifier(maxPool2d(x, { size: 2 })))], [x]);
});
