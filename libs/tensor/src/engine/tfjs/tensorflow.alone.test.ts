import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { batch, mlp, trainingStep } from '../../../test/mlp.js';
import { compile, identity, scalar, shared, square } from '../../index.js';
import { openDevice } from './device.js';
import { whyUnavailable } from './packages.js';

const why = whyUnavailable('tensorflow');
/** Behind the name of each test here. */
const needs = why === undefined ? '' : ` (needs TensorFlow: ${why})`;

const TENSORFLOW = { engine: 'tfjs', provider: 'tensorflow', threads: 2 } as const;
const PLAIN = { engine: 'tfjs', provider: 'cpu' } as const;

async function stateAfter(steps: number): Promise<number[][]> {
  const network = mlp([64, 50, 50, 10], 'float32');
  const { train, state } = await trainingStep(network, TENSORFLOW);
  for (let step = 0; step < steps; step += 1) await train.run(batch(network, 16, step % 5));
  await train.dispose();
  return await Promise.all(state.map(async (variable) => Array.from((await variable.getValue()).data, Number)));
}

test.skipIf(why !== undefined)(`training ends with the same bits, run again on two threads${needs}`, async () => {
  const first = await stateAfter(30);
  expect(first.flat().every(Number.isFinite)).toBe(true);
  expect(await stateAfter(30)).toEqual(first);
});

test.skipIf(why !== undefined)(`a step of training leaves no tensors behind${needs}`, async () => {
  const { tf } = openDevice({ ...TENSORFLOW, device: 0 });
  const network = mlp([6, 5, 4], 'float32');
  const { train } = await trainingStep(network, TENSORFLOW);
  await train.run(batch(network, 8, 1));
  const { numTensors, numDataBuffers } = tf.memory();
  for (let step = 0; step < 10; step += 1) await train.run(batch(network, 8, 1));
  expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  await train.dispose();
});

test.skipIf(why !== undefined)(`memory of what was fed is not shared with state${needs}`, async () => {
  const x = scalar('x');
  const W = shared(0, 'W');
  const f = await compile({ ...TENSORFLOW, inputs: [x], outputs: [], updates: [[W, identity(x)]] });
  const fed = ndarray('float32', [], Float32Array.of(3));
  await f.run([fed]);
  fed.data[0] = 5;
  expect((await W.getValue()).data[0]).toBe(3);
});

test.skipIf(why !== undefined)(`functions on TensorFlow and in JavaScript run side by side${needs}`, async () => {
  const x = scalar('x');
  const graph = { inputs: [x], outputs: [square(x)] };
  const functions = await Promise.all(
    [TENSORFLOW, PLAIN, TENSORFLOW, PLAIN].map(async (target) => await compile({ ...graph, ...target })),
  );
  const three = ndarray('float32', [], Float32Array.of(3));
  const results = await Promise.all([...functions, ...functions].map(async (f) => await f.run([three])));
  expect(results.map(([result]) => result?.data[0])).toEqual(Array.from({ length: 8 }, () => 9));
});

test.skipIf(why !== undefined)(`a process has one number of threads${needs}`, async () => {
  const x = scalar('x');
  const other = compile({ ...TENSORFLOW, threads: 1, inputs: [x], outputs: [square(x)] });
  await expect(other).rejects.toThrow(
    'TensorFlow runs in this process with 2 threads on tensorflow 0, which cannot change to 1 threads on tensorflow 0',
  );
});
