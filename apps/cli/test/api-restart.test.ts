import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ExperimentSpecInput, isTerminal } from '@longrun/contracts';
import { ProcessUnderTest, RedisServer, until } from '@longrun/platform/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { connect } from '../src/address.js';
import type { Client } from '../src/client.js';
import { writeTinyMnist } from './tiny-mnist.js';

/** Of each experiment: a row for each step, and one before the first. */
const LAST_STEP = 40;

let folder: string;
let redis: RedisServer;
const processes: ProcessUnderTest[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-restart-'));
  redis = await RedisServer.start();
  await writeTinyMnist(join(folder, 'raw', 'tiny'), { train: 160, test: 16, side: 8 });
  const api = await startApi();
  const converter = start('fuel-preproc');
  const client = await connectHere();
  await client.submitDataset({ name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } });
  await until(
    async () => (await client.dataset('tiny')).status === 'ready',
    () => converter.output,
  );
  await Promise.all([api.end(), converter.end()]);
});

afterEach(async () => {
  await Promise.all(processes.splice(0).map((each) => each.end()));
});

afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

test.each(['keeps what it has', 'loses all it has'])(
  'five runs that ended while the API was dead have every row after its restart, if Redis %s meanwhile',
  async (fate) => {
    const api = await startApi();
    const client = await connectHere();
    const ids = await Promise.all([1, 2, 3, 4, 5].map(() => submit(client)));
    await until(async () => (await waitingJobs()) >= 5);
    api.signal('SIGKILL');
    expect(await api.exited).toBe('SIGKILL');

    const worker = start('worker-gpu');
    await until(
      () => ids.every((id) => worker.lines.some((line) => line.includes(`${id}: ended under fence 1: succeeded`))),
      () => worker.output,
    );
    if (fate === 'loses all it has') {
      // Nor does anybody have what Redis lost.
      await worker.end();
      await redis.flushAll();
    }

    const again = await startApi();
    const after = await connectHere();
    for (const id of ids) {
      await untilEnded(after, id, again);
      const { status, attempts, result } = await after.experiment(id);
      expect({ status, fences: attempts.map(({ fence }) => fence) }).toEqual({ status: 'succeeded', fences: [1] });
      const rows = [];
      for await (const row of after.logRows(id)) rows.push(row);
      expect(rows.map(({ step }) => step)).toEqual(upTo(LAST_STEP));
      expect(rows.at(-1)?.row).toEqual(result?.lastRow);
    }
    await Promise.all([worker.end(), again.end()]);
  },
);

/** Programs whose runs turn out as they are told. */
const turns = { LONGRUN_PROGRAMS: fileURLToPath(new URL('../../worker-gpu/test/programs', import.meta.url)) };

test('of runs that failed while the API was dead no row is missing, though Redis loses all it has', async () => {
  const api = await startApi(turns);
  const client = await connectHere();
  // Before the first checkpoint, right after it, and long after it.
  const ends = [5, 16, 29];
  const ids = await Promise.all(ends.map((refuseAt) => submit(client, { program: 'turns', params: { refuseAt } })));
  await until(async () => (await waitingJobs()) >= ids.length);
  api.signal('SIGKILL');
  expect(await api.exited).toBe('SIGKILL');

  const worker = start('worker-gpu', turns);
  await until(
    () => ids.every((id) => worker.lines.some((line) => line.includes(`${id}: ended under fence 1: invalid_params`))),
    () => worker.output,
  );
  await worker.end();
  await redis.flushAll();

  const again = await startApi(turns);
  const after = await connectHere();
  for (const [index, id] of ids.entries()) {
    await untilEnded(after, id, again);
    const { status, reason, attempts, checkpoints } = await after.experiment(id);
    expect({ status, reason, fences: attempts.map(({ fence }) => fence) }).toEqual({
      status: 'failed',
      reason: 'invalid_params',
      fences: [1],
    });
    // Nothing was heard of the attempt: what is known of it is in the store.
    expect(checkpoints).toEqual([]);
    expect(await stepsOf(after, id)).toEqual(upTo(ends[index] ?? 0).slice(1));
  }
  await again.end();
});

test('of a run that was cancelled while the API was dead no row is missing, though Redis loses all it has', async () => {
  const api = await startApi(turns);
  const worker = start('worker-gpu', turns);
  const client = await connectHere();
  const witness = join(folder, 'witness');
  const id = await submit(client, {
    program: 'turns',
    params: { epochs: 100_000, pauseMs: 5, witness },
    checkpoint: { everyBatches: 1_000_000 },
  });
  await until(
    async () => (await stepsOf(client, id)).length > 3,
    () => worker.output,
  );
  // It hears that it is cancelled when the API is dead, and its trainer has gone on.
  worker.signal('SIGSTOP');
  await client.cancelExperiment(id);
  const recorded = (await stepsOf(client, id)).length;
  api.signal('SIGKILL');
  expect(await api.exited).toBe('SIGKILL');
  const batchesDone = async (): Promise<number> => Number(await readFile(witness, 'utf8'));
  await until(async () => (await batchesDone()) > recorded + 10);
  // The row of the batch after which it is said may still be in the making.
  const logged = (await batchesDone()) - 1;
  worker.signal('SIGCONT');
  await until(
    () => worker.lines.some((line) => line.includes(`${id}: ended under fence 1: cancelled`)),
    () => worker.output,
  );
  await worker.end();
  await redis.flushAll();

  // There is no worker that could be lost.
  const again = await startApi({ ...turns, LONGRUN_HEARTBEAT_MS: '500', LONGRUN_WORKER_LOST_MS: '2000' });
  const after = await connectHere();
  await untilEnded(after, id, again);
  expect(await after.experiment(id)).toMatchObject({ status: 'cancelled', attempts: [{ fence: 1 }] });
  const steps = await stepsOf(after, id);
  expect(steps.length).toBeGreaterThanOrEqual(logged);
  expect(steps).toEqual(upTo(steps.length).slice(1));
  await again.end();
});

async function untilEnded(client: Client, id: string, api: ProcessUnderTest): Promise<void> {
  await until(
    async () => isTerminal((await client.experiment(id)).status),
    () => api.output,
  );
}

async function stepsOf(client: Client, id: string): Promise<number[]> {
  const steps = [];
  for await (const { step } of client.logRows(id)) steps.push(step);
  return steps;
}

function upTo(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, step) => step);
}

async function startApi(environment: Readonly<Record<string, string>> = {}): Promise<ProcessUnderTest> {
  const api = start('api', environment);
  await until(
    () => api.lines.some((line) => line.startsWith('api listening at ')),
    () => api.output,
  );
  return api;
}

function start(
  app: 'api' | 'fuel-preproc' | 'worker-gpu',
  environment: Readonly<Record<string, string>> = {},
): ProcessUnderTest {
  const started = new ProcessUnderTest(fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url)), {
    LONGRUN_STATE: folder,
    REDIS_URL: redis.url,
    // A busy machine must not lose a worker for us.
    LONGRUN_WORKER_LOST_MS: '120000',
    ...environment,
  });
  processes.push(started);
  return started;
}

/** A client of the API that was started last. */
async function connectHere(): Promise<Client> {
  return await connect({ state: folder, environment: {} });
}

async function submit(client: Client, spec: Partial<ExperimentSpecInput> = {}): Promise<string> {
  const { id } = await client.submitExperiment({
    program: 'mlp',
    dataset: 'tiny',
    params: {
      dims: [64, 16, 10],
      activations: ['rectifier', 'softmax'],
      batchSize: 16,
      epochs: 4,
      learningRate: 0.01,
    },
    checkpoint: { everyBatches: 15 },
    resources: { threads: 1 },
    ...spec,
  });
  return id;
}

/** Experiments that lie in BullMQ's queue and were not taken. */
async function waitingJobs(): Promise<number> {
  return (await redis.members('{longrun}:experiments:prioritized')).length;
}
