import { expect, test } from 'vitest';

import {
  add,
  arange,
  cast,
  compile,
  constant,
  eye,
  floatX,
  matrix,
  mul,
  oneHot,
  ones,
  randomNormal,
  randomState,
  randomUniform,
  scalar,
  shared,
  tensor,
  TensorTypeError,
  vector,
  withFloatX,
  zeros,
  type FloatX,
  type Variable,
} from '../index.js';
import { array, present } from '../../test/op-laws.js';

const state = shared(randomState(1, 'noise'));
const labels = tensor('labels', 'int64', [2]);

/** All that is made without a dtype. */
function made(): readonly Variable[] {
  return [
    scalar('x'),
    vector('x'),
    matrix('x'),
    constant(0.1),
    shared(0.1),
    zeros([2]),
    ones([2]),
    eye(2),
    oneHot(labels, 3),
    arange(0, 1, { step: 0.1 }),
    add(1, 2),
    randomNormal(state, [2]).values,
    randomUniform(state, [2]).values,
    cast(labels, floatX()),
  ];
}

test('floats of no dtype are floatX, which is float32 but while another is given', () => {
  const [outside, inside] = [made(), withFloatX('float64', made)];
  expect(new Set(outside.map(({ dtype }) => dtype))).toEqual(new Set(['float32']));
  expect(new Set(inside.map(({ dtype }) => dtype))).toEqual(new Set(['float64']));
  expect(made().map(({ type }) => type)).toEqual(outside.map(({ type }) => type));
});

test('what has a dtype keeps it', () => {
  const kept = withFloatX('float64', () => [scalar('x', 'float32'), constant(2, 'int8'), constant(true), arange(0, 3)]);
  expect(kept.map(({ dtype }) => dtype)).toEqual(['float32', 'int8', 'bool', 'int64']);
  expect(withFloatX('float64', () => mul(vector('x', 'float32'), 0.1)).dtype).toBe('float32');
});

test('one may be given within another, and ends where building fails too', () => {
  const seen = withFloatX('float64', () => [withFloatX('float32', floatX), floatX()]);
  expect([...seen, floatX()]).toEqual(['float32', 'float64', 'float32']);
  expect(() =>
    withFloatX('float64', () => {
      throw new Error('in between');
    }),
  ).toThrow('in between');
  expect(floatX()).toBe('float32');
});

test('it is for what is built at once: a promise is refused, as is a dtype that is no float', async () => {
  const building = async (): Promise<Variable> => {
    await Promise.resolve();
    throw new Error(`would be ${floatX()}`);
  };
  expect(() => withFloatX('float64', building)).toThrow('returned a promise; await before or after it');
  await Promise.resolve();
  expect(floatX()).toBe('float32');
  expect(() => withFloatX('float16' as FloatX, floatX)).toThrow(
    new TensorTypeError('withFloatX: dtype is "float16"; give one of float32, float64'),
  );
});

test('what would go on later is refused: promises of any library and generators', () => {
  // oxlint-disable-next-line unicorn/no-thenable -- as that of a library
  const thenable = { then: (done: (value: unknown) => void): void => done(1) };
  expect(() => withFloatX('float64', () => thenable)).toThrow('returned a promise; await before or after it');
  const late: FloatX[] = [];
  const building = function* (): Generator<FloatX> {
    late.push(floatX());
    yield floatX();
  };
  const asynchronous = async function* (): AsyncGenerator<FloatX> {
    late.push(floatX());
    yield await Promise.resolve(floatX());
  };
  expect(() => withFloatX('float64', building)).toThrow('returned a generator, which goes on later');
  expect(() => withFloatX('float64', asynchronous)).toThrow('returned a generator, which goes on later');
  expect(late).toEqual([]);
  expect(withFloatX('float64', () => [...building()])).toEqual(['float64']);
});

test('a function computes in the dtype in which its graph was built', async () => {
  const [x, y] = withFloatX('float64', () => [scalar('x'), scalar('y')] as const);
  const f = await compile({ inputs: [x, y], outputs: [add(x, mul(y, 0.1))], engine: 'onnxruntime' });
  const [sum] = await f.run([array('float64', [], [1]), array('float64', [], [1])]);
  expect(present(sum)).toEqual(array('float64', [], [1.1]));
  await f.dispose();
});
