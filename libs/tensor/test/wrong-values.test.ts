import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { compile, constant, grad, mul, shared, sum, tensor, TensorTypeError, vector } from '../src/index.js';

const MADE = 'give an array, such as ndarray';
const floats = Float32Array.of(1, 2, 3, 4, 5, 6);

/** What a program without types may feed in place of an array, and what is said of it. */
const WRONG: readonly (readonly [said: string, value: unknown])[] = [
  [`is undefined; ${MADE}`, undefined],
  [`is null; ${MADE}`, null],
  [`is [1, 2, 3]; ${MADE}`, [1, 2, 3]],
  [`is Float32Array(6) [ 1, 2, 3, ... 3 more items ]; ${MADE}`, floats],
  [`is \`y\` float32 (null,); ${MADE}`, vector('y')],
  ['has the dtype "float16" and the shape [2, 3]; give', { dtype: 'float16', shape: [2, 3], data: floats }],
  ['has the dtype "float32" and the shape "23"; give', { dtype: 'float32', shape: '23', data: floats }],
  ['shape (2, 3) has 6 elements but data has 2', { dtype: 'float32', shape: [2, 3], data: floats.subarray(0, 2) }],
  ['needs a Float32Array, but got Float64Array', { dtype: 'float32', shape: [2, 3], data: new Float64Array(6) }],
  ['has the dimension -2; give integers of 0 or more', { dtype: 'float32', shape: [-2, 3], data: floats }],
  ['has the dimension 0.5; give integers of 0 or more', { dtype: 'float32', shape: [0.5, 3], data: floats }],
];

test.each(['reference', 'onnxruntime'])(
  'what is fed and is no array is refused before anything runs: %s',
  async (engine) => {
    const [x, s] = [tensor('x', 'float32', [null, 3]), shared(1, 's')];
    const f = await compile({ name: 'f', inputs: [x], outputs: [sum(x)], updates: [[s, mul(s, 2)]], engine });
    const run = async (...given: unknown[]): Promise<unknown> => await Reflect.apply(f.run.bind(f), undefined, given);
    for (const [said, value] of WRONG) {
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      const error = await run([value]).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TensorTypeError);
      expect(error).toMatchObject({ message: expect.stringContaining('f: input `x` float32 (null, 3) ') });
      expect(error).toMatchObject({ message: expect.stringContaining(said) });
    }
    await expect(run()).rejects.toThrow('f: takes a list of 1 inputs (`x` float32 (null, 3)) but was given undefined');
    await expect(run({ x: ndarray('float32', [2, 3]) })).rejects.toThrow('but was given { x: [Object] }');
    expect((await s.getValue()).data).toEqual(Float32Array.of(1));
    await f.run([ndarray('float32', [2, 3])]);
    expect((await s.getValue()).data).toEqual(Float32Array.of(2));
    await f.dispose();
  },
);

test('what is set and is no array is refused, and the value stays', async () => {
  const s = shared([[1, 2, 3]], 's');
  for (const [said, value] of WRONG) {
    const set = (): unknown => Reflect.apply(s.setValue.bind(s), undefined, [value]);
    expect(set).toThrow(TensorTypeError);
    expect(set).toThrow(said);
  }
  expect((await s.getValue()).data).toEqual(Float32Array.of(1, 2, 3));
});

test('constants and shared variables of what only looks like an array are refused', () => {
  const short = { dtype: 'float32', shape: [2, 3], data: floats.subarray(0, 2) };
  for (const [name, make] of [
    ['constant', constant],
    ['shared', shared],
  ] as const) {
    expect(() => Reflect.apply(make, undefined, [short])).toThrow(
      `${name}: the value is no array: ndarray: shape (2, 3) has 6 elements but data has 2`,
    );
    expect(() => Reflect.apply(make, undefined, [{ ...short, data: [1, 2] }])).toThrow('needs a Float32Array, but got');
  }
});

test('of many sizes that must be equal, two that differ are named', async () => {
  const inputs = Array.from({ length: 40 }, (_, position) => vector(`x${position}`));
  const cost = inputs.reduce((product, input) => mul(product, input));
  const f = await compile({ name: 'f', inputs, outputs: [cost], engine: 'reference' });
  const values = inputs.map((_, position) => ndarray('float32', [position === 30 ? 5 : 4]));
  await expect(f.run(values)).rejects.toThrow(
    'f: `x0` has 4 along axis 0 but `x30` has 5 along axis 0; the graph needs these sizes to be equal',
  );
});

test('integers have no known gradients', () => {
  const [x, n] = [vector('x'), tensor('n', 'int64', [null])];
  expect(() => grad(null, [x], { knownGrads: new Map([[n, n]]) })).toThrow(
    'grad: `n` int64 (null,) of knownGrads is not a float; only floats have gradients',
  );
});
