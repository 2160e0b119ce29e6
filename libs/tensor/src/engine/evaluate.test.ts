import { expect, test } from 'vitest';

import { add, constant, evaluate, mul, scalar, shared } from '../index.js';
import { array } from '../../test/op-laws.js';

test('1.T-78: a variable is evaluated at values of its inputs, on any engine', async () => {
  const x = scalar('x');
  const y = add(mul(x, 2), shared(1));
  for (const engine of ['onnxruntime', 'reference']) {
    expect(await evaluate(y, new Map([[x, array('float32', [], [3])]]), { engine })).toMatchObject({
      dtype: 'float32',
      shape: [],
      data: Float32Array.of(7),
    });
  }
  expect((await evaluate(constant(3))).data).toEqual(Float32Array.of(3));
});

test('a variable is not evaluated without the inputs that it depends on', async () => {
  await expect(evaluate(mul(scalar('x'), 2))).rejects.toThrow(
    'depend on `x` float32 (), which is not among the inputs',
  );
});
