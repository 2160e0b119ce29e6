import { setTimeout as delay } from 'node:timers/promises';

import { ndarray } from '@longrun/serialization';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';

import { compile, dot, log, mul, pick, tanh, tensor } from '../../index.js';
import { lowerToOnnx } from './lower.js';
import { array, expectClose, present } from '../../../test/op-laws.js';

/** Processor time, in ms, of runs with pauses between them, in which spinning threads go on working. */
async function processorTimeMs(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < 100; count += 1) {
    await run();
    await delay(1);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test('threads do not spin between runs', async () => {
  const [x, W] = [tensor('x', 'float32', [null, 64]), tensor('W', 'float32', [64, 64])];
  const output = tanh(dot(x, W));
  const values = [ndarray('float32', [64, 64]), ndarray('float32', [64, 64])] as const;
  const f = await compile({ inputs: [x, W], outputs: [output], threads: 2 });
  const still = await processorTimeMs(() => f.run(values));
  await f.dispose();

  const { model, inputNames } = lowerToOnnx('spinning', [x, W], [output]);
  const extra = { session: { intra_op: { allow_spinning: '1' } } };
  const session = await InferenceSession.create(model, { intraOpNumThreads: 2, extra });
  const feeds = Object.fromEntries(
    inputNames.map((name, at) => [name, new Tensor('float32', values[at]?.data ?? [], [64, 64])]),
  );
  const spinning = await processorTimeMs(() => session.run(feeds));
  await session.release();

  expect(still).toBeLessThan(0.7 * spinning);
});

test('an error of the engine names the function, and the op and variables it comes from', async () => {
  const [x, labels] = [tensor('x', 'float32', [null, 3]), tensor('labels', 'int64', [null])];
  const f = await compile({ name: 'evaluate', inputs: [x, labels], outputs: [pick(log(x), labels)] });
  const run = f.run([array('float32', [1, 3], [1, 2, 3]), array('int64', [1], [3])]);
  await expect(run).rejects.toThrow(/^evaluate: ONNX Runtime failed: .*'pick\(log\.0,labels\)/s);
});

test('a factor of a product of float64 matrices keeps its precision', async () => {
  const [x, W] = [tensor('x', 'float64', [1, 2]), tensor('W', 'float64', [2, 1])];
  const f = await compile({ inputs: [x, W], outputs: [dot(mul(x, 0.3), W)] });
  const [product] = await f.run([array('float64', [1, 2], [0.7, 1.3]), array('float64', [2, 1], [1.1, 0.1])]);
  expectClose(present(product), array('float64', [1, 1], [0.27]), 1e-15);
});
