import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { writeIdxFiles } from './idx.js';
import { type LocalWorker, World } from './world.js';

let world: World;
let worker: LocalWorker;

beforeAll(async () => {
  world = await World.begin();
  const folder = join(world.rawFolder, 'endless');
  await writeIdxFiles(folder);
  // Whoever opens it waits for somebody who writes to it.
  const endless = join(folder, 'train-images-idx3-ubyte.gz');
  await rm(endless);
  execFileSync('mkfifo', [endless]);
});

afterEach(async () => {
  await worker.stop();
});

afterAll(async () => {
  await world.end();
});

const endless = { converter: 'mnist', source: { folder: 'endless' } };

test('a conversion that makes no progress for limits.stallSeconds is ended as stalled, and said where it stands', async () => {
  worker = await world.localWorker({ workerId: 'patient' });
  const id = await world.ask({ ...endless, name: 'stalled', limits: { stallSeconds: 3 } });
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'stalled' });
  expect(ended.attempts.map(({ reason }) => reason)).toEqual(['stalled', 'stalled']);
  expect(ended.message).toContain('it is at: hashing the raw files');
  expect(worker.lines.join('\n')).toContain('The event loop of the converter is idle, so that there is no stack');
});

test('a conversion is ended when its limits.wallTimeSeconds are over, and not tried again', async () => {
  worker = await world.localWorker({ workerId: 'strict' });
  const ended = await world.whenEnded(await world.ask({ ...endless, name: 'long', limits: { wallTimeSeconds: 3 } }));
  expect(ended).toMatchObject({ status: 'failed', reason: 'timed_out' });
  expect(ended.attempts.map(({ reason }) => reason)).toEqual(['timed_out']);
  expect(ended.message).toBe('It has run for the 3 s that limits.wallTimeSeconds allows.');
});
