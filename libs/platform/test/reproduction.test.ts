import type { ExperimentComparison } from '@longrun/contracts';
import { encodeSafetensors, ndarray } from '@longrun/serialization';
import { expect } from 'vitest';

import { RequestRefused } from '../src/index.js';
import { publishModule } from '../src/testing/index.js';
import { resultAt, type ScriptedWorker } from './scripted-worker.js';
import { test, type World } from './world.js';

const STEPS = 5;

/** How a run goes that a test plays. */
interface Run {
  readonly threads?: number;
  /** Added to each row. */
  readonly row?: (step: number) => Record<string, number>;
  /** The values of its two parameters. */
  readonly parameters?: readonly [number, number];
  /** The text of its only output. */
  readonly output?: string;
}

async function play(worker: ScriptedWorker, run: Run = {}): Promise<void> {
  const { threads = 2, row = () => ({}), parameters: [a, b] = [1, 2], output = 'a table' } = run;
  const attempt = (await worker.next()).start(threads);
  attempt.train(STEPS, { row: (step) => ({ cost: 1 / step, time_train_total: performance.now(), ...row(step) }) });
  const [one, other] = [a, b].map((value) => ndarray('float32', [1], Float32Array.of(value)));
  if (one === undefined || other === undefined) throw new Error('There are two parameters');
  const tensors = encodeSafetensors(new Map([['/a.W', one]]).set('/b.W', other));
  await attempt.commit({ 'parameters.safetensors': tensors, 'output.table.csv': output });
  const { lastRow, parametersSha256 } = resultAt(a * 100 + b);
  await attempt.succeed({ result: { lastRow, parametersSha256 } });
}

async function compared(world: World, a: string, b: string): Promise<ExperimentComparison> {
  return await world.platform.comparisons.compare(a, b, { signal: new AbortController().signal });
}

test('an experiment is submitted once more as it was meant then, and the two are compared once both have ended', async ({
  world,
}) => {
  const { experiments } = await world.start();
  const dataset = await world.readyDataset();
  const id = await world.submit({ seed: 7, name: 'first', notes: 'of the first', tags: ['first'], priority: 3 });
  const worker = world.worker('gpu-1');
  await play(worker);
  const original = await world.when(id, ({ status }) => status === 'succeeded');
  await publishModule(world.platform, 'mlp', 'a later module of mlp');

  const { experiment, created } = await experiments.reproduce(id, { idempotencyKey: 'once' });
  const { notes: _notes, tags: _tags, ...spec } = original.spec;
  expect({ experiment, created }).toMatchObject({
    created: true,
    experiment: { reproduces: id, from: null, name: 'first', programSha256: original.programSha256, attempts: [] },
  });
  expect(experiment.spec).toEqual(spec);
  expect(experiment.datasets).toEqual({ train: dataset });
  const again = await experiments.reproduce(id, { idempotencyKey: 'once' });
  expect(again).toMatchObject({ created: false, experiment: { id: experiment.id } });
  await expect(experiments.submit(original.spec, { idempotencyKey: 'once' })).rejects.toThrow(RequestRefused);

  expect(await compared(world, id, experiment.id)).toMatchObject({ verdict: 'undecided', differences: null });
  await play(worker, { threads: 4 });
  await world.when(experiment.id, ({ status }) => status === 'succeeded');
  expect(await compared(world, id, experiment.id)).toEqual({
    a: { id, name: 'first', status: 'succeeded', parametersSha256: original.result?.parametersSha256 },
    b: { id: experiment.id, name: 'first', status: 'succeeded', parametersSha256: original.result?.parametersSha256 },
    verdict: 'identical',
    differences: { rows: STEPS, log: null, parameters: [], outputs: [] },
    environment: [{ name: 'threads', a: [2], b: [4] }],
  });
});

test('what differs is said: where the logs part, else the parameters and outputs that do', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const worker = world.worker('gpu-1');
  const ended = async (run: Run): Promise<string> => {
    const id = await world.submit();
    await play(worker, run);
    await world.when(id, ({ status }) => status === 'succeeded');
    return id;
  };
  const original = await ended({});
  const differing = async (run: Run): Promise<unknown> => {
    const { verdict, differences } = await compared(world, original, await ended(run));
    return { verdict, ...differences };
  };
  const equal = { verdict: 'different', rows: STEPS, log: null, parameters: [], outputs: [] };
  const log = { step: 3, record: 'cost', a: 1 / 3, b: 0.5 };
  const isThird = (step: number): boolean => step === 3;
  expect(await differing({ row: (step) => (isThird(step) ? { cost: 0.5, later: 1 } : {}) })).toEqual({
    ...equal,
    rows: 2,
    log,
  });
  expect(await differing({ row: (step) => (isThird(step) ? { another: 1 } : {}) })).toEqual({
    ...equal,
    rows: 2,
    log: { step: 3, record: 'another', b: 1 },
  });
  expect(await differing({ parameters: [1, 3] })).toEqual({ ...equal, parameters: ['/b.W'] });
  expect(await differing({ output: 'another table' })).toEqual({
    ...equal,
    outputs: [{ name: 'table.csv', a: expect.stringMatching(/^[0-9a-f]{64}$/), b: expect.any(String) }],
  });
});

test('one that has failed is compared as far as it went, and is never identical', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const worker = world.worker('gpu-1');
  const failed = async (steps: number): Promise<string> => {
    const id = await world.submit({ retry: { maxFailures: 0 } });
    const attempt = (await worker.next()).start().train(steps);
    await attempt.lease.end({ reason: 'program_error', step: steps });
    await attempt.end('program_error');
    await world.when(id, ({ status }) => status === 'failed');
    return id;
  };
  const [one, same, longer] = [await failed(2), await failed(2), await failed(3)];
  expect(await compared(world, one, same)).toMatchObject({ verdict: 'incomparable', differences: { log: null } });
  expect(await compared(world, one, longer)).toMatchObject({
    verdict: 'different',
    differences: { rows: 2, log: { step: 3, record: 'cost', b: 1 / 3 } },
  });
  const unknown = `exp_${'0'.repeat(32)}`;
  await expect(compared(world, one, unknown)).rejects.toMatchObject({
    kind: 'not-found',
    faults: [{ parameter: 'with', facts: { id: unknown } }],
  });
});
