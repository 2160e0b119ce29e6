import { ndarray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  compile,
  equalOps,
  formatType,
  isAssignable,
  mul,
  printGraph,
  replace,
  scan,
  shared,
  sharedLike,
  sum,
  tanh,
  tensor,
  TensorTypeError,
  type Dim,
  type Op,
} from '../src/index.js';
import { array, present } from './op-laws.js';

const x = tensor('x', 'float32', ['batch', 'time', 3]);
const rows = tensor('rows', 'float32', ['batch', 4]);
const labels = tensor('labels', 'int64', ['batch']);

test('types print with names', () => {
  expect(formatType(x.type)).toBe('float32 (batch, time, 3)');
  expect(formatType(labels.type)).toBe('int64 (batch,)');
  const y = tensor('y', 'float32', ['batch', null]);
  expect(printGraph([sum(tanh(y), { axis: 1 })])).toBe(
    [
      'y: float32 (batch, null)',
      'tanh_0 = tanh(y): float32 (batch, null)',
      'sum_0 = sum{axis=[1], keepdims=false}(tanh_0): float32 (batch,)',
      'return sum_0',
    ].join('\n'),
  );
});

describe('one name is one size', () => {
  test('in all inputs, also where the graph would do without', async () => {
    const y = tensor('y', 'float32', [2, 'batch']);
    const f = await compile({ name: 'f', inputs: [x, y], outputs: [sum(x), sum(y)], engine: 'reference' });
    await f.run([ndarray('float32', [4, 5, 3]), ndarray('float32', [2, 4])]);
    await expect(f.run([ndarray('float32', [4, 5, 3]), ndarray('float32', [2, 5])])).rejects.toThrow(
      'f: `x` has 4 along axis 0 but `y` has 5 along axis 1; these sizes have the name `batch` and must be equal',
    );
  });

  test('within one input, and not where there is no name', async () => {
    const [square_, any] = [tensor('square', 'float32', ['n', 'n']), tensor('any', 'float32', [null])];
    const f = await compile({ inputs: [square_, any], outputs: [sum(square_), sum(any)], engine: 'reference' });
    await f.run([ndarray('float32', [2, 2]), ndarray('float32', [7])]);
    await expect(f.run([ndarray('float32', [2, 3]), ndarray('float32', [7])])).rejects.toThrow('have the name `n`');
  });

  test('of shared variables too, with the values that they have at the run', async () => {
    const kept = shared(ndarray('float32', [2, 4]), 'kept', { shape: ['batch', 4] });
    const f = await compile({ name: 'f', inputs: [labels], outputs: [sum(labels), sum(kept)], engine: 'reference' });
    await f.run([array('int64', [2], [0, 1])]);
    await expect(f.run([array('int64', [3], [0, 1, 2])])).rejects.toThrow(
      'f: `labels` has 3 along axis 0 but `kept` has 2 along axis 0; these sizes have the name `batch` and must be equal',
    );
    kept.setValue(ndarray('float32', [3, 4]));
    await f.run([array('int64', [3], [0, 1, 2])]);
  });

  test('also where a variable is given in the place of another', async () => {
    const given = tensor('given', 'float32', ['batch', 4]);
    const unnamed = tensor('unnamed', 'float32', [null, 4]);
    const f = await compile({
      name: 'f',
      inputs: [given, labels],
      outputs: [sum(unnamed), sum(labels)],
      givens: new Map([[unnamed, given]]),
      engine: 'reference',
    });
    await expect(f.run([ndarray('float32', [2, 4]), array('int64', [1], [0])])).rejects.toThrow('the name `batch`');
  });

  test('of each variable its own: one in the place of another need not have its sizes', async () => {
    const [y, z] = [tensor('y', 'float32', ['time']), tensor('z', 'int64', ['batch'])];
    const original = tensor('original', 'float32', ['batch']);
    const [output] = replace([mul(original, 2)], new Map([[original, y]]));
    expect(present(output).shape).toEqual(['time']);
    const f = await compile({ inputs: [y, z], outputs: [present(output), sum(z)], engine: 'reference' });
    expect(await f.run([ndarray('float32', [1]), ndarray('int64', [2])])).toHaveLength(2);
  });

  test('two names may have to be one size, as the graph needs it', async () => {
    const [a, b] = [tensor('a', 'float32', ['batch']), tensor('b', 'float32', ['examples'])];
    const f = await compile({ name: 'f', inputs: [a, b], outputs: [add(a, b)], engine: 'reference' });
    await f.run([ndarray('float32', [2]), ndarray('float32', [2])]);
    await expect(f.run([ndarray('float32', [2]), ndarray('float32', [1])])).rejects.toThrow(
      'f: `a` has 2 along axis 0 but `b` has 1 along axis 0; the graph needs these sizes to be equal',
    );
  });
});

test('types that differ in names alone stand for one another, and ops on them are the same', () => {
  const [named, other, unnamed] = [
    ['batch', 3],
    ['time', 3],
    [null, 3],
  ].map((shape) => tensor('x', 'float32', shape));
  for (const from of [named, other, unnamed]) {
    for (const to of [named, other, unnamed]) expect(isAssignable(present(from).type, present(to).type)).toBe(true);
  }
  const scanOver = (size: Dim): Op => {
    const [doubled] = scan((row) => mul(row, 2), { sequences: [tensor('a', 'float32', [2, size])] });
    return present(present(doubled).owner ?? undefined).op;
  };
  expect(equalOps(scanOver('batch'), scanOver(null))).toBe(true);
  expect(equalOps(scanOver('batch'), scanOver(3))).toBe(false);
});

test('a variable like another has the names of its sizes', () => {
  const like = sharedLike(rows);
  expect([like.shape, like.valueType.shape]).toEqual([
    ['batch', 4],
    [0, 4],
  ]);
});

test.each(['', ' ', '5', 'null'])('no size is called "%s"', (name) => {
  expect(() => tensor('x', 'float32', [name])).toThrow(
    `tensor: \`x\` cannot have a size of the name '${name}'; give a word such as 'batch', or null`,
  );
  expect(() => shared([1], 'W', { shape: [name] })).toThrow('Shared variable `W` cannot have a size of the name');
});

test.each([-1, 1.5, Number.NaN])('no input has a size of %d', (size) => {
  expect(() => tensor('x', 'float32', [2, size])).toThrow(TensorTypeError);
  expect(() => tensor('x', 'float32', [2, size])).toThrow(
    `tensor: \`x\` cannot have a size of ${size}; give an integer`,
  );
});
