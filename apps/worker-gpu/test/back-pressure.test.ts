import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '@longrun/platform/testing';
import { JobWorker, WorkerLink } from '@longrun/platform/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExperimentWork } from '../src/supervisor/experiment-work.js';
import { World } from './world.js';

/** For a busy machine. */
const PATIENCE_MS = 100_000;
let world: World;

beforeAll(async () => {
  world = await World.begin();
}, 120_000);

afterAll(async () => {
  await world.end();
});

test(
  'a record that falls behind gets every row: the trainer waits for it, and no row is left out',
  async () => {
    const reports: string[] = [];
    // Small, and yet with room for the rows that are on their way from the trainer. That a record which takes nothing for long
    // is not waited for is shown elsewhere.
    const outbox = { maxPendingBytes: 300_000, stillAfterMs: 600_000 };
    const link = new WorkerLink({ redisUrl: world.redis.url, workerId: 'small', outbox, checkEveryMs: 50 });
    const worker = new JobWorker({
      kind: 'experiment',
      link,
      store: world.store,
      scratchFolder: join(world.folder, 'scratch'),
      heartbeatMs: 100,
      graceMs: 5_000,
      work: (attempt) =>
        new ExperimentWork(attempt, {
          cacheFolder: join(world.folder, 'cache'),
          programsFolder: fileURLToPath(new URL('programs', import.meta.url)),
          graceMs: 5_000,
          trainerScript: fileURLToPath(new URL('../dist/trainer.js', import.meta.url)),
        }),
      report: (sentence) => reports.push(sentence),
    });
    await worker.start();
    const id = await world.submit({ epochs: 40 }, { checkpoint: { everyBatches: 500 } });
    await world.whenLogged(id, 1);
    await world.platform.close();
    await until(
      () => reports.some((sentence) => sentence.endsWith('the trainer waits for it now and then')),
      undefined,
      PATIENCE_MS,
    );

    const platform = await world.startAgain();
    await until(async () => (await platform.experiments.get(id)).status === 'succeeded', undefined, PATIENCE_MS);
    const steps: number[] = [];
    for await (const event of platform.experiments.subscribe(id))
      if (event.type === 'log_row') steps.push(event.data.step);
    // The row of step 0 has what was evaluated before training.
    expect([...new Set(steps)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1201 }, (_, step) => step));
    await worker.stop();
    link.close();
    await platform.close();
  },
  4 * PATIENCE_MS,
);
