import type { ExperimentComparison, ExperimentSpecInput, ExperimentView } from '@longrun/contracts';
import { until } from '@longrun/platform/testing';
import { newestManifest } from '@longrun/serialization';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gate } from './gate.js';
import { World } from './world.js';

/** Batches in an epoch of the dataset. */
const EPOCH = 30;

let world: World;
let short: string;
let whole: string;

beforeAll(async () => {
  world = await World.begin();
  await world.worker();
  short = await world.submit({ epochs: 1 });
  whole = await world.submit({ epochs: 2 });
  expect((await world.whenEnded(short)).status).toBe('succeeded');
  expect((await world.whenEnded(whole)).status).toBe('succeeded');
});

afterAll(async () => {
  await world.end();
});

async function forked(
  from: ExperimentSpecInput['from'],
  params: ExperimentSpecInput['params'],
  spec: Partial<ExperimentSpecInput> = {},
): Promise<string> {
  return await world.submit(params, { from, ...spec });
}

/** What the program wrote to its file `batches.csv`, as the newest checkpoint has it. */
async function writtenTable(id: string): Promise<string> {
  const manifest = await newestManifest(world.store, `experiments/${id}`);
  const key = manifest?.files.find(({ name }) => name === 'output.batches.csv')?.blobKey ?? '';
  return Buffer.from((await world.store.get(key)) ?? []).toString();
}

async function expectAsWhole(id: string): Promise<ExperimentView> {
  const experiment = await world.whenEnded(id);
  expect(experiment.message).toBe(null);
  expect(experiment.result).toEqual((await world.platform.experiments.get(whole)).result);
  expect(await world.rows(id)).toEqual(await world.rows(whole));
  expect((await world.checkpointLog(id)).entries).toEqual((await world.checkpointLog(whole)).entries);
  expect(await writtenTable(id)).toBe(await writtenTable(whole));
  return experiment;
}

async function holdsOf(id: string): Promise<unknown[]> {
  return (await world.head(id)).checkpoints.flatMap(({ holds = [] }) => holds);
}

test('a finished run that is continued ends as one that was to go so far from the start', async () => {
  const id = await forked({ experiment: short }, { epochs: 2 });
  const experiment = await expectAsWhole(id);
  const [newest] = (await world.head(short)).checkpoints;
  const from = { experiment: short, step: EPOCH, sha256: newest?.sha256, changed: [] };
  expect(experiment.from).toEqual(from);
  expect(experiment.attempts).toMatchObject([{ startStep: EPOCH, stepsRun: EPOCH, reason: 'succeeded' }]);
  expect((await newestManifest(world.store, `experiments/${id}`))?.from).toEqual(from);
  expect(await holdsOf(short)).toEqual([]);
});

test('one of a step before the newest is gone on from, while its own run goes on and drops it', async () => {
  const gate = await Gate.make();
  const holds = [gate.after(2 * EPOCH - 1)];
  const parent = await world.submit({ epochs: 2, holds }, { checkpoint: { everyBatches: 7, keepLast: 1 } });
  await world.whenLogged(parent, 2 * EPOCH - 2);
  await until(async () => (await world.head(parent)).checkpoints[0]?.step === 56);
  const id = await forked({ experiment: parent, step: 56 }, { epochs: 2 });
  await gate.open();
  await world.whenEnded(parent);
  expect((await expectAsWhole(id)).attempts).toMatchObject([{ startStep: 56 }]);
  const steps = (await world.head(parent)).checkpoints.map(({ step }) => step);
  expect(steps[0]).toBe(2 * EPOCH);
  await world.platform.verbs.delete(parent);
  await expect(world.platform.experiments.reproduce(id)).rejects.toMatchObject({
    kind: 'conflict',
    faults: [{ code: 'origin-gone', facts: { experiment: id, origin: parent, step: 56 } }],
  });
});

test('an experiment that is run once more, from the same checkpoint where it began from one, is identical', async () => {
  const params = { epochs: 2, learningRate: 0.5 };
  const fork = await forked({ experiment: short, step: 28 }, params);
  await world.whenEnded(fork);
  for (const original of [whole, fork]) {
    const { experiment } = await world.platform.experiments.reproduce(original);
    const { from } = await world.whenEnded(experiment.id);
    expect(from).toEqual((await world.platform.experiments.get(original)).from);
    expect(await compared(original, experiment.id)).toMatchObject({
      verdict: 'identical',
      differences: { rows: (await world.rows(original)).length },
      environment: [],
    });
  }
  expect(await holdsOf(short)).toEqual([]);
  const outputs = [{ name: 'batches.csv', a: expect.any(String), b: expect.any(String) }];
  // The cost of a batch is that before its step.
  const log = { step: 30, record: 'batch_cost', a: expect.any(Number), b: expect.any(Number) };
  expect(await compared(whole, fork)).toMatchObject({ verdict: 'different', differences: { log, outputs } });
});

async function compared(a: string, b: string): Promise<ExperimentComparison> {
  return await world.platform.comparisons.compare(a, b, { signal: new AbortController().signal });
}

test('other parameters hold from its step on, and what was logged before stays', async () => {
  const id = await forked({ experiment: short, step: 28 }, { epochs: 2, learningRate: 0.5 });
  const { attempts } = await world.whenEnded(id);
  expect(attempts).toMatchObject([{ startStep: 28, lastStep: 2 * EPOCH, reason: 'succeeded' }]);
  const rows = await world.rows(id);
  expect(rows.filter(({ step }) => step < 28)).toEqual((await world.rows(short)).filter(({ step }) => step < 28));
  // The cost of a batch is that before its step.
  const usual = await world.rows(whole);
  expect(rows[29]).toEqual(usual[29]);
  expect(rows[30]?.row['batch_cost']).not.toBe(usual[30]?.row['batch_cost']);
  const rowEvents = (await world.events(id)).filter(({ type }) => type === 'log_row');
  expect(rowEvents.map(({ data }) => ('step' in data ? data.step : -1)).slice(0, 28)).toEqual(
    rows.slice(0, 28).map(({ step }) => step),
  );
});

test('a worker that is killed before the first checkpoint of its own changes nothing, nor does a platform that goes', async () => {
  await world.endProcesses();
  const id = await forked({ experiment: short }, { epochs: 2 });
  await world.platform.close();
  const faults = { LONGRUN_FAULT_POINTS: 'snapshot.handed-over=kill@1' };
  const worker = await world.newWorker(faults);
  await world.startAgain();
  expect(await worker.exited).toBe('SIGKILL');
  await world.worker();
  const { attempts } = await expectAsWhole(id);
  expect(attempts.map(({ startStep }) => startStep)).toEqual([EPOCH, EPOCH]);
});

test('parameters that its state does not fit end it at once, with both shapes', async () => {
  const { status, reason, attempts, message } = await world.whenEnded(
    await forked({ experiment: short }, { hidden: 20 }),
  );
  expect({ status, reason, attempts: attempts.length }).toEqual({
    status: 'failed',
    reason: 'invalid_params',
    attempts: 1,
  });
  expect(message).toContain('/mlp/linear_0.W is float32 (16, 12) in it but float32 (16, 20) here');
  expect(message).not.toContain('    at ');
});

test('another program, dataset or seed is refused by name; the first two may be allowed, and it is on the record', async () => {
  const facts = async (spec: Partial<ExperimentSpecInput>): Promise<unknown> =>
    await forked({ experiment: short }, {}, spec).catch((error: { faults?: unknown }) => error.faults);
  expect(await facts({ dataset: 'others' })).toMatchObject([
    { path: ['from', 'allow'], code: 'origin-differs', facts: { experiment: short, what: 'datasets' } },
  ]);
  expect(await facts({ seed: 6 })).toMatchObject([{ path: ['seed'], facts: { what: 'seed', there: '5', here: '6' } }]);
  expect(await facts({ from: { experiment: short, step: 29 } })).toMatchObject([
    { path: ['from', 'step'], code: 'checkpoint-unknown', facts: { known: ['30-1', '28-1', '21-1'] } },
  ]);
  const experiment = `exp_${'0'.repeat(32)}`;
  expect(await facts({ from: { experiment } })).toMatchObject([
    { path: ['from', 'experiment'], code: 'origin-unknown' },
  ]);
  expect(await holdsOf(short)).toEqual([]);

  const id = await forked({ experiment: short, allow: ['datasets', 'program'] }, { epochs: 2 }, { dataset: 'others' });
  const { status, from } = await world.whenEnded(id);
  expect({ status, changed: from?.changed }).toEqual({ status: 'succeeded', changed: ['datasets'] });
  expect(await world.rows(id)).not.toEqual(await world.rows(whole));
});

test('one that is cancelled before it has a copy lets go of the checkpoint', async () => {
  await world.platform.close();
  const platform = await world.start({ role: 'api' });
  const id = await forked({ experiment: short }, { epochs: 2 });
  expect(await holdsOf(short)).toMatchObject([{ name: `fork ${id}` }]);
  expect((await platform.experiments.get(id)).message).toBe('Waits until its checkpoints are ready');
  await platform.experiments.cancel(id);
  await until(async () => (await platform.experiments.get(id)).status === 'cancelled');
  expect(await holdsOf(short)).toEqual([]);
  await platform.close();
  await world.startAgain();
  await world.platform.verbs.retry(id);
  await expectAsWhole(id);
});
