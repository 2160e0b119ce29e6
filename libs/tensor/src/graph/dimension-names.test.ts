import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { compile, mul, replace, sum, tensor } from '../index.js';

test('sizes of one name must be equal in all inputs, also where the graph would do without', async () => {
  const [x, y] = [tensor('x', 'float32', ['batch', 'time', 3]), tensor('y', 'float32', [2, 'batch'])];
  expect(x.type).toEqual({ dtype: 'float32', shape: [null, null, 3] });
  const f = await compile({ name: 'f', inputs: [x, y], outputs: [sum(x), sum(y)], engine: 'reference' });
  await f.run([ndarray('float32', [4, 5, 3]), ndarray('float32', [2, 4])]);
  await expect(f.run([ndarray('float32', [4, 5, 3]), ndarray('float32', [2, 5])])).rejects.toThrow(
    'f: `x` has 4 along axis 0 but `y` has 5 along axis 1; these sizes have the name `batch` and must be equal',
  );
});

test('a name within one input, and sizes without names', async () => {
  const [square, any] = [tensor('square', 'float32', ['n', 'n']), tensor('any', 'float32', [null])];
  const f = await compile({ inputs: [square, any], outputs: [sum(square), sum(any)], engine: 'reference' });
  await f.run([ndarray('float32', [2, 2]), ndarray('float32', [7])]);
  await expect(f.run([ndarray('float32', [2, 3]), ndarray('float32', [7])])).rejects.toThrow('have the name `n`');
});

test('a variable in the place of another keeps its own names', async () => {
  const [x, y] = [tensor('x', 'float32', ['batch']), tensor('y', 'float32', ['time'])];
  const [output] = replace([mul(x, 2)], new Map([[x, y]]));
  const z = tensor('z', 'float32', ['batch']);
  const f = await compile({
    inputs: [y, z],
    outputs: [...(output === undefined ? [] : [output]), sum(z)],
    engine: 'reference',
  });
  expect(await f.run([ndarray('float32', [1]), ndarray('float32', [2])])).toHaveLength(2);
});

test('an empty name is refused', () => {
  expect(() => tensor('x', 'float32', [''])).toThrow('A dimension of x has an empty name; give null for none');
});

test.each([-1, 1.5, Number.NaN])('no input has a size of %d', (size) => {
  expect(() => tensor('x', 'float32', [2, size])).toThrow(
    `tensor: \`x\` cannot have a size of ${size}; give an integer`,
  );
});
