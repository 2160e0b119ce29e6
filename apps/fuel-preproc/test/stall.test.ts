import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Isolation, JobWorker, WorkerLink } from '@longrun/platform/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DatasetWork } from '../src/dataset-work.js';
import { writeIdxFiles } from './idx.js';
import { World } from './world.js';

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('a conversion that makes no progress is ended as stalled, and said where it stands', async () => {
  const folder = join(world.rawFolder, 'endless');
  await mkdir(folder, { recursive: true });
  await writeIdxFiles(folder);
  // Whoever opens it waits for somebody who writes to it.
  const endless = join(folder, 'train-images-idx3-ubyte.gz');
  await rm(endless);
  execFileSync('mkfifo', [endless]);
  const lines: string[] = [];
  const link = new WorkerLink({ redisUrl: world.redis.url, workerId: 'patient' });
  const isolation = await Isolation.find({ user: 'worker', stateFolder: world.folder, code: [world.rawFolder] });
  const worker = new JobWorker({
    kind: 'dataset',
    link,
    store: world.store,
    scratchFolder: join(world.folder, 'scratch'),
    heartbeatMs: 100,
    graceMs: 5_000,
    work: (attempt) =>
      new DatasetWork(attempt, {
        rawFolder: world.rawFolder,
        converterScript: fileURLToPath(new URL('../dist/converter.js', import.meta.url)),
        isolation,
        memoryLimitBytes: null,
        stallMs: 3_000,
        report: (line) => lines.push(line),
      }),
    report: () => {},
  });
  await worker.start();
  const id = await world.submit('endless', 'endless');
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'stalled' });
  expect(ended.attempts.map(({ reason }) => reason)).toEqual(['stalled', 'stalled']);
  expect(ended.message).toContain('it is at: converting with mnist');
  expect(lines.join('\n')).toContain('The event loop of the converter is idle, so that there is no stack');
  await worker.stop();
  link.close();
});
