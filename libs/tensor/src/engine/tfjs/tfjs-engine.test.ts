import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import {
  add,
  argmax,
  compile,
  constant,
  dimshuffle,
  dot,
  exp,
  identity,
  matrix,
  mul,
  neg,
  pick,
  scan,
  shared,
  sub,
  take,
  tanh,
  tensor,
  vector,
  type Variable,
} from '../../index.js';
import { array, present } from '../../../test/op-laws.js';
import { batch, mlp, trainingStep } from '../../../test/mlp.js';
import { openDevice } from './device.js';

const TFJS = { engine: 'tfjs', provider: 'cpu' } as const;

/** It counts its tensors, of all functions together. */
const { tf, compute } = openDevice({ ...TFJS, device: 0, threads: 1 });
await compute(() => undefined);

const three = array('float32', [3], [1, 2, 3]);

test('a function leaves no tensors behind, and a step of training only its new state', async () => {
  const before = tf.memory().numTensors;
  const network = mlp([6, 5, 4], 'float32');
  const { train, state } = await trainingStep(network, TFJS);
  const step = (): Promise<unknown> => train.run(batch(network, 8, 1));
  await step();
  const after = tf.memory();
  for (let count = 0; count < 10; count += 1) await step();
  expect(tf.memory()).toMatchObject({ numTensors: after.numTensors, numBytes: after.numBytes });

  await train.dispose();
  for (const variable of state) variable.setValue(await variable.getValue());
  expect(tf.memory().numTensors).toBe(before);
});

test('a run that fails leaves no tensors behind, and says in which op of which function it failed', async () => {
  const [x, labels] = [matrix('x'), tensor('labels', 'int64', [null])];
  const f = await compile({ ...TFJS, name: 'evaluate', inputs: [x, labels], outputs: [pick(exp(x), labels)] });
  const before = tf.memory().numTensors;
  await expect(f.run([array('float32', [1, 3], [1, 2, 3]), array('int64', [1], [3])])).rejects.toThrow(
    'evaluate: TensorFlow.js failed in pick(exp.0, labels): label 3 is not one of 3 classes',
  );
  expect(tf.memory().numTensors).toBe(before);
  await f.dispose();
});

test('what cannot be compiled leaves no tensors behind', async () => {
  const before = tf.memory().numTensors;
  const x = matrix('x');
  const far = constant(
    array(
      'int64',
      [9],
      Array.from({ length: 9 }, () => 2 ** 40),
    ),
  );
  const outputs = [add(x, constant(three)), take(x, far)];
  await expect(compile({ ...TFJS, inputs: [x], outputs })).rejects.toThrow(
    '1099511627776 is beyond what TensorFlow.js holds',
  );
  expect(tf.memory().numTensors).toBe(before);
});

test('what is computed on the way is freed after its last use', async () => {
  const x = vector('x');
  const ops = 40;
  let y: Variable = x;
  for (let count = 0; count < ops; count += 1) y = tanh(y);
  const f = await compile({ ...TFJS, inputs: [x], outputs: [y] });
  const value = ndarray('float32', [100_000]);
  const before = tf.memory().numBytes;
  const { peakBytes, kernels } = await tf.profile(async () => {
    await f.run([value]);
    return [];
  });
  expect(kernels.filter(({ name }) => name === 'Tanh')).toHaveLength(ops);
  expect(peakBytes - before).toBeLessThanOrEqual(3 * value.data.byteLength);
  await f.dispose();
});

test('state stays where it was computed, and whoever pinned a value has it unchanged', async () => {
  const W = shared(three, 'W');
  const f = await compile({ ...TFJS, inputs: [], outputs: [], updates: [[W, mul(W, 2)]] });
  await f.run([]);
  const pinned = W.pin();
  const before = tf.memory().numTensors;
  await f.run([]);
  expect(tf.memory().numTensors).toBe(before + 1);
  expect([...(await pinned.read()).data]).toEqual([2, 4, 6]);
  expect([...(await W.getValue()).data]).toEqual([4, 8, 12]);
  pinned.release();
  expect(tf.memory().numTensors).toBe(before);
});

test('what was fed or given out may be written to: state does not share its memory', async () => {
  const [x, W] = [vector('x'), shared(three, 'W')];
  const f = await compile({ ...TFJS, inputs: [x], outputs: [identity(x)], updates: [[W, identity(x)]] });
  const fed = array('float32', [3], [4, 5, 6]);
  const [output] = await f.run([fed]);
  for (const { data } of [fed, present(output), await W.getValue()]) data[0] = 0;
  expect([...(await W.getValue()).data]).toEqual([4, 5, 6]);
});

test('a function of one engine goes on from the state of another', async () => {
  const W = shared(array('float32', [2, 2], [1, 2, 3, 4]), 'W');
  const updates = [[W, dot(W, W)]] as const;
  for (const target of [TFJS, { engine: 'onnxruntime' }, TFJS]) {
    const f = await compile({ ...target, inputs: [], outputs: [], updates });
    await f.run([]);
    await f.dispose();
  }
  // The eighth power, by numpy.linalg.matrix_power.
  expect([...(await W.getValue()).data]).toEqual([165751, 241570, 362355, 528106]);
});

test('integers of 64 bits go in and out as long as 32 hold them', async () => {
  const [x, i] = [matrix('x'), tensor('i', 'int64', [null])];
  const f = await compile({ ...TFJS, inputs: [x, i], outputs: [argmax(x), dimshuffle(i, [0, 'x'])] });
  const rows = array('float32', [2, 3], [1, 3, 2, 9, 8, Number.NaN]);
  const [best, same] = await f.run([rows, array('int64', [2], [-(2 ** 31), 2 ** 31 - 1])]);
  expect(best).toEqual(array('int64', [2], [1, 2]));
  expect(same).toEqual(array('int64', [2, 1], [-(2 ** 31), 2 ** 31 - 1]));
  await expect(f.run([rows, array('int64', [1], [2 ** 31])])).rejects.toThrow(
    '2147483648 is beyond what TensorFlow.js holds, which has no int64 and narrows it to int32',
  );
});

test('arithmetic in integers that TensorFlow.js has not is left to the host, and exact', async () => {
  const [i, small] = [tensor('i', 'int64', [null]), tensor('small', 'uint8', [null])];
  const f = await compile({ ...TFJS, inputs: [i, small], outputs: [add(i, i), add(small, small)] });
  const [doubled, wrapped] = await f.run([array('int64', [2], [2 ** 31, -5]), array('uint8', [2], [200, 3])]);
  expect(doubled).toEqual(array('int64', [2], [2 ** 32, -10]));
  expect(wrapped).toEqual(array('uint8', [2], [144, 6]));
  expect(f.explain().hostOps.map(({ op, reason }) => [op, reason])).toEqual([
    ['add', 'it does not compute in int64'],
    ['add', 'it does not compute in uint8'],
  ]);
});

test('a scan runs step by step on TensorFlow.js, and leaves no tensors behind', async () => {
  const [rows, first] = [matrix('rows'), vector('first')];
  const outputs = scan((row, h) => tanh(add(row, present(h))), { sequences: [rows], outputsInfo: [first] });
  const f = await compile({ ...TFJS, inputs: [rows, first], outputs });
  expect(f.explain().hostOps.filter(({ op }) => op.startsWith('scan'))).toEqual([]);
  const values = [array('float32', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), array('float32', [2], [0, 0])];
  const before = tf.memory().numTensors;
  const [states] = await f.run(values);
  expect(present(states).shape).toEqual([4, 2]);
  expect(tf.memory().numTensors).toBe(before);
  await f.dispose();
});

test('an op that computes in a dtype that TensorFlow.js has not is refused when compiling', async () => {
  const x = tensor('x', 'float64', [null, 3]);
  await expect(compile({ ...TFJS, inputs: [x], outputs: [neg(sub(x, add(x, 1)))] })).rejects.toThrow(/float64/);
});
