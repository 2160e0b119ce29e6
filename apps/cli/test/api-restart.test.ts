import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTerminal } from '@longrun/contracts';
import { ProcessUnderTest, RedisServer, until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { connect } from '../src/address.js';
import type { Client } from '../src/client.js';
import { writeTinyMnist } from './tiny-mnist.js';

/** However busy the machine is. */
const LONG_ENOUGH_MS = 120_000;
vi.setConfig({ testTimeout: 2 * LONG_ENOUGH_MS });

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
    LONG_ENOUGH_MS,
  );
  await Promise.all([api.end(), converter.end()]);
}, LONG_ENOUGH_MS);

afterAll(async () => {
  await Promise.all(processes.map((each) => each.end()));
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}, LONG_ENOUGH_MS);

test.each(['keeps what it has', 'loses all it has'])(
  'five runs that ended while the API was dead have every row after its restart, if Redis %s meanwhile',
  async (fate) => {
    const api = await startApi();
    const client = await connectHere();
    const ids = await Promise.all([1, 2, 3, 4, 5].map(() => submit(client)));
    await until(async () => (await waitingJobs()) >= 5, undefined, LONG_ENOUGH_MS);
    api.signal('SIGKILL');
    expect(await api.exited).toBe('SIGKILL');

    const worker = start('worker-gpu');
    await until(
      () => ids.every((id) => worker.lines.some((line) => line.includes(`${id}: ended under fence 1: succeeded`))),
      () => worker.output,
      LONG_ENOUGH_MS,
    );
    if (fate === 'loses all it has') {
      // Nor does anybody have what Redis lost.
      await worker.end();
      await redis.flushAll();
    }

    const again = await startApi();
    const after = await connectHere();
    await until(
      async () => (await Promise.all(ids.map((id) => after.experiment(id)))).every(({ status }) => isTerminal(status)),
      () => again.output,
      LONG_ENOUGH_MS,
    );
    const every = Array.from({ length: LAST_STEP + 1 }, (_, step) => step);
    for (const id of ids) {
      const { status, attempts, result } = await after.experiment(id);
      expect({ status, fences: attempts.map(({ fence }) => fence) }).toEqual({ status: 'succeeded', fences: [1] });
      const rows = [];
      for await (const row of after.logRows(id)) rows.push(row);
      expect(rows.map(({ step }) => step)).toEqual(every);
      expect(rows.at(-1)?.row).toEqual(result?.lastRow);
    }
    await Promise.all([worker.end(), again.end()]);
  },
);

async function startApi(): Promise<ProcessUnderTest> {
  const api = start('api');
  await until(
    () => api.lines.some((line) => line.startsWith('api listening at ')),
    () => api.output,
    LONG_ENOUGH_MS,
  );
  return api;
}

function start(app: 'api' | 'fuel-preproc' | 'worker-gpu'): ProcessUnderTest {
  const started = new ProcessUnderTest(fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url)), {
    LONGRUN_STATE: folder,
    REDIS_URL: redis.url,
    // A busy machine must not lose a worker for us.
    LONGRUN_WORKER_LOST_MS: '120000',
  });
  processes.push(started);
  return started;
}

/** A client of the API that was started last. */
async function connectHere(): Promise<Client> {
  return await connect({ state: folder, environment: {} });
}

async function submit(client: Client): Promise<string> {
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
  });
  return id;
}

/** Experiments that lie in BullMQ's queue and were not taken. */
async function waitingJobs(): Promise<number> {
  return (await redis.members('{longrun}:experiments:prioritized')).length;
}
