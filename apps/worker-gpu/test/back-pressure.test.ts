import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '@longrun/platform/testing';
import { Isolation, JobWorker, WorkerLink } from '@longrun/platform/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExperimentWork } from '../src/supervisor/experiment-work.js';
import { Trainers } from '../src/supervisor/trainers.js';
import { World } from './world.js';

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('a record that falls behind gets every row: the trainer waits for it, and no row is left out', async () => {
  const reports: string[] = [];
  // Small, and yet with room for the rows that are on their way from the trainer. That a record which takes nothing for long
  // is not waited for is shown elsewhere.
  const outbox = { maxPendingBytes: 300_000, stillAfterMs: 600_000 };
  const link = new WorkerLink({ redisUrl: world.redis.url, workerId: 'small', outbox, checkEveryMs: 50 });
  const scratchFolder = join(world.folder, 'scratch');
  const cacheFolder = join(world.folder, 'cache');
  const programsFolder = fileURLToPath(new URL('programs', import.meta.url));
  const trainers = new Trainers({
    script: fileURLToPath(new URL('../dist/trainer.js', import.meta.url)),
    isolation: await Isolation.find({ user: 'worker', stateFolder: world.folder, code: [programsFolder] }),
    folder: scratchFolder,
    cacheFolder,
    memoryLimitBytes: null,
  });
  const worker = new JobWorker({
    kind: 'experiment',
    link,
    store: world.store,
    scratchFolder,
    heartbeatMs: 100,
    graceMs: 5_000,
    work: (attempt) => new ExperimentWork(attempt, { cacheFolder, programsFolder, trainers, graceMs: 5_000 }),
    report: (sentence) => reports.push(sentence),
  });
  await worker.start();
  const id = await world.submit({ epochs: 40 }, { checkpoint: { everyBatches: 500 } });
  await world.whenLogged(id, 1);
  await world.platform.close();
  await until(() => reports.some((sentence) => sentence.endsWith('the trainer waits for it now and then')), undefined);

  const platform = await world.startAgain();
  await until(async () => (await platform.experiments.get(id)).status === 'succeeded');
  const steps: number[] = [];
  for await (const event of platform.experiments.subscribe(id))
    if (event.type === 'log_row') steps.push(event.data.step);
  // The row of step 0 has what was evaluated before training.
  expect([...new Set(steps)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1201 }, (_, step) => step));
  await worker.stop();
  await trainers.close();
  link.close();
  await platform.close();
});
