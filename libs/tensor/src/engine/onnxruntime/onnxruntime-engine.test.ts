import { createHook } from 'node:async_hooks';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { ndarray } from '@longrun/serialization';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';

import {
  cast,
  compile,
  conv2d,
  dot,
  ifElse,
  log,
  mul,
  OpUnsupported,
  pick,
  scalar,
  scan,
  shared,
  sum,
  tanh,
  tensor,
} from '../../index.js';
import { lowerToOnnx } from './lower.js';
import { array, expectClose, present } from '../../../test/op-laws.js';

const TASKS = '/proc/self/task';

/** Makes something that runs, and finds the threads that came with it. */
async function withItsThreads<T>(make: () => Promise<T>): Promise<{ readonly made: T; readonly threads: string[] }> {
  const before = new Set(readdirSync(TASKS));
  const made = await make();
  return { made, threads: readdirSync(TASKS).filter((thread) => !before.has(thread)) };
}

/** Time that the threads have had a processor, in ms: the kernel counts it, however long they had to wait for it. */
function processorTimeMs(threads: readonly string[]): number {
  const times = threads.map((thread) => Number(readFileSync(`${TASKS}/${thread}/schedstat`, 'utf8').split(' ')[0]));
  return times.reduce((total, time) => total + time, 0) / 1e6;
}

/** Processor time of the threads between a run and the next one, over as many runs as `isEnough` asks for, given it and their number. */
async function timeBetweenRunsMs(
  run: () => Promise<unknown>,
  threads: readonly string[],
  isEnough: (timeMs: number, runs: number) => boolean,
): Promise<{ readonly timeMs: number; readonly runs: number }> {
  let [timeMs, runs] = [0, 0];
  while (!isEnough(timeMs, runs)) {
    await run();
    const before = processorTimeMs(threads);
    await delay(2);
    timeMs += processorTimeMs(threads) - before;
    runs += 1;
  }
  return { timeMs, runs };
}

/** How many promises are made until `run` has ended. */
async function promisesOf(run: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({ init: (_id, type) => void (count += type === 'PROMISE' ? 1 : 0) });
  hook.enable();
  await run().finally(() => hook.disable());
  return count;
}

test('a run waits for nothing that is in memory: shared variables add no promises', async () => {
  const stepOf = async (variables: number) => {
    const state = Array.from({ length: variables }, (_, at) => shared(at, `state_${at}`));
    const updates = state.map((variable) => [variable, mul(variable, 2)] as const);
    const step = await compile({ inputs: [], outputs: [], updates, engine: 'onnxruntime', threads: 1 });
    await step.run([]);
    return step;
  };
  const [few, many] = [await stepOf(1), await stepOf(20)];
  const more = (await promisesOf(() => many.run([]))) - (await promisesOf(() => few.run([])));
  expect(more).toBeLessThan(10);
  await Promise.all([few.dispose(), many.dispose()]);
});

// Judged by the engine's own threads while there is nothing to do, when those that do not spin sleep: nothing else that the machine or
// this process is busy with counts. The spinning ones go on until they have been seen to spin.
test.skipIf(!existsSync('/proc/self/schedstat'))('threads do not spin between runs', async () => {
  const [x, W] = [tensor('x', 'float32', [null, 64]), tensor('W', 'float32', [64, 64])];
  const output = tanh(dot(x, W));
  const values = [ndarray('float32', [64, 64]), ndarray('float32', [64, 64])] as const;

  const { model, inputNames } = lowerToOnnx('spinning', [x, W], [output]);
  const extra = { session: { intra_op: { allow_spinning: '1' } } };
  const spinning = await withItsThreads(() => InferenceSession.create(model, { intraOpNumThreads: 2, extra }));
  const feeds = Object.fromEntries(
    inputNames.map((name, at) => [name, new Tensor('float32', values[at]?.data ?? [], [64, 64])]),
  );
  const spun = await timeBetweenRunsMs(
    () => spinning.made.run(feeds),
    spinning.threads,
    (timeMs) => timeMs >= 50,
  );
  await spinning.made.release();

  const still = await withItsThreads(() => compile({ inputs: [x, W], outputs: [output], threads: 2 }));
  // They are the ones that work, as soon as a busy machine lets them.
  expect(still.threads).not.toEqual([]);
  while (processorTimeMs(still.threads) === 0) {
    await still.made.run(values);
    await delay(1);
  }
  const slept = await timeBetweenRunsMs(
    () => still.made.run(values),
    still.threads,
    (_timeMs, runs) => runs === spun.runs,
  );
  await still.made.dispose();

  expect(slept.timeMs).toBeLessThan(0.1 * spun.timeMs);
});

test('what an op refuses while it runs is said as the reference engine says it', async () => {
  const [x, labels] = [tensor('x', 'float32', [null, 3]), tensor('labels', 'int64', [null])];
  const values = [array('float32', [1, 3], [1, 2, 3]), array('int64', [1], [3])];
  const [said, known] = await Promise.all(
    ['onnxruntime', 'reference'].map(async (engine) => {
      const f = await compile({ inputs: [x, labels], outputs: [pick(log(x), labels)], engine });
      return await f.run(values).catch((error: unknown) => error);
    }),
  );
  expect(String(said)).toBe(String(known));
  expect(said).toMatchObject({
    message: expect.stringMatching(/^pick: /u),
    cause: { message: expect.stringContaining("'pick(log.0,labels)") },
  });
});

test('of what computes too much for the reference from small inputs the error is that of ONNX Runtime, as where it is too large', async () => {
  const [rows, columns] = [tensor('rows', 'float32', [null, 1]), tensor('columns', 'float32', [1, null])];
  const label = tensor('label', 'int64', [null]);
  const total = sum(mul(rows, columns), { axis: 1, keepdims: true });
  const f = await compile({ name: 'evaluate', inputs: [rows, columns, label], outputs: [pick(total, label)] });
  const size = 3000;
  const labels = array(
    'int64',
    [size],
    Array.from({ length: size }, () => 1),
  );
  const run = f.run([ndarray('float32', [size, 1]), ndarray('float32', [1, size]), labels]);
  await expect(run).rejects.toThrow(/^evaluate: ONNX Runtime failed: .*'pick\(/s);
  await f.dispose();
});

test('of what is too large for the reference the error names the function, and the op and variables it comes from', async () => {
  const size = 2 ** 20;
  const [x, labels] = [tensor('x', 'float32', [null, size]), tensor('labels', 'int64', [null])];
  const f = await compile({ name: 'evaluate', inputs: [x, labels], outputs: [pick(log(x), labels)] });
  const run = f.run([ndarray('float32', [1, size]), array('int64', [1], [size])]);
  await expect(run).rejects.toThrow(/^evaluate: ONNX Runtime failed: .*'pick\(log\.0,labels\)/s);
  await f.dispose();
});

test('a factor of a product of float64 matrices keeps its precision', async () => {
  const [x, W] = [tensor('x', 'float64', [1, 2]), tensor('W', 'float64', [2, 1])];
  const f = await compile({ inputs: [x, W], outputs: [dot(mul(x, 0.3), W)] });
  const [product] = await f.run([array('float64', [1, 2], [0.7, 1.3]), array('float64', [2, 1], [1.1, 0.1])]);
  expectClose(present(product), array('float64', [1, 1], [0.27]), 1e-15);
});

test('a factor of a product of float64 matrices keeps its precision where only an inner graph computes in float64', async () => {
  const [isExact, x, W] = [scalar('isExact', 'bool'), tensor('x', 'float32', [1, 2]), tensor('W', 'float32', [2, 1])];
  const [total] = ifElse(
    isExact,
    () => sum(dot(mul(cast(x, 'float64'), 0.3), cast(W, 'float64'))),
    () => cast(sum(x), 'float64'),
  );
  const f = await compile({ inputs: [isExact, x, W], outputs: [present(total)], engine: 'onnxruntime' });
  expect(f.explain().hostOps).toEqual([]);
  const values = [array('bool', [], [1]), array('float32', [1, 2], [0.5, 1.5]), array('float32', [2, 1], [1, 0.25])];
  expectClose(present((await f.run(values))[0]), array('float64', [], [0.2625]), 1e-15);
  await f.dispose();
});

test('what ONNX Runtime cannot run is refused when compiling inside of an inner graph too', async () => {
  const [images, filters] = [
    tensor('images', 'float64', [null, 1, 1, 4, 4]),
    tensor('filters', 'float64', [1, 1, 2, 2]),
  ];
  const [maps] = scan((image) => conv2d(image, filters), { sequences: [images] });
  const refused = compile({ inputs: [images, filters], outputs: [present(maps)], engine: 'onnxruntime' });
  await expect(refused).rejects.toThrow(OpUnsupported);
  await expect(refused).rejects.toThrow(
    /cannot run scan.*: of conv2d inside it, it has no kernel for the op in float64/,
  );
});

test.each([
  ['float32', Float32Array],
  ['float64', Float64Array],
] as const)('the bits of results do not depend on where in memory the inputs lie: %s', async (dtype, TypedArray) => {
  const x = tensor('x', dtype, [null, null]);
  const f = await compile({ inputs: [x], outputs: [sum(x, { axis: 1 })] });
  const shape = [33, 65];
  const values = Array.from({ length: 33 * 65 }, (_, index) => Math.sin(index * index));
  const { BYTES_PER_ELEMENT } = TypedArray;
  const results = await Promise.all(
    [0, 1, 2, 3].map(async (place) => {
      const buffer = new ArrayBuffer((values.length + place) * BYTES_PER_ELEMENT);
      const data = new TypedArray(buffer, place * BYTES_PER_ELEMENT);
      data.set(values);
      return present((await f.run([{ dtype, shape, data }]))[0]);
    }),
  );
  for (const result of results) expect(result).toEqual(results[0]);
  await f.dispose();
});
