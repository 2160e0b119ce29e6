import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';

import { add, cast, compile, dot, grad, ifElse, mul, scalar, scan, square, sum, tanh, tensor } from '../../../index.js';
import { array, present } from '../../../../test/op-laws.js';
import { openDevice } from '../device.js';

const TFJS = { engine: 'tfjs', provider: 'cpu' } as const;

/** It counts its tensors, of all functions together. */
const device = openDevice({ ...TFJS, device: 0, threads: 1 });
await device.compute(() => undefined);
const { tf } = device;

const [x, W] = [tensor('x', 'float32', [null, 2, 20]), tensor('W', 'float32', [20, 20])];
const start = tensor('start', 'float32', [2, 20]);
const [states] = scan((row, h) => tanh(add(row, dot(h, W))), { sequences: [x], outputsInfo: [start] });

test('a scan leaves no tensors behind, and sums of gradients do not pile up from step to step', async () => {
  const outputs = grad(sum(square(present(states))), [W]);
  const f = await compile({ ...TFJS, inputs: [x, W, start], outputs });
  const values = (steps: number): Parameters<typeof f.run>[0] => [
    ndarray('float32', [steps, 2, 20]),
    ndarray('float32', [20, 20]),
    ndarray('float32', [2, 20]),
  ];
  const peak = async (steps: number): Promise<number> => {
    const before = tf.memory().numBytes;
    const { peakBytes } = await tf.profile(async () => {
      await f.run(values(steps));
      return [];
    });
    return peakBytes - before;
  };
  const before = tf.memory();
  const [short, long] = [await peak(10), await peak(40)];
  expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
  // A sum of gradients has 1600 bytes, a state 160: of each step some states are kept, and what it computes on the way is not.
  expect((long - short) / 30).toBeLessThan(1600);
  await f.dispose();
});

test('ops inside that TensorFlow.js has not are computed on the host', async () => {
  const counts = tensor('counts', 'int64', [null, 20]);
  const [sums] = scan((row, total) => add(mul(row, 3), total), {
    sequences: [counts],
    outputsInfo: [tensor('t', 'int64', [20])],
  });
  const inputs = [counts, present(present(sums).owner?.inputs[2])];
  const f = await compile({ ...TFJS, inputs, outputs: [present(sums)] });
  const ones = array(
    'int64',
    [2, 20],
    Array.from({ length: 40 }, () => 1),
  );
  const [result] = await f.run([
    ones,
    array(
      'int64',
      [20],
      Array.from({ length: 20 }, (_, at) => at),
    ),
  ]);
  expect(result?.dtype).toBe('int64');
  expect(Number(result?.data[39])).toBe(19 + 6);
  await f.dispose();
});

test('what an inner graph has that TensorFlow.js has not, the host computes with all of the op', async () => {
  const condition = scalar('condition', 'bool');
  const [exact] = ifElse(
    condition,
    () => cast(tanh(cast(x, 'float64')), 'float32'),
    () => x,
  );
  const f = await compile({ ...TFJS, inputs: [condition, x], outputs: [present(exact)] });
  expect(f.explain().hostOps.map(({ op }) => op)).toEqual(['ifElse']);
});
