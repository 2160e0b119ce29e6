import { isRunning } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './world.js';

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('all attempts together train no longer than limits.wallTimeSeconds, and a checkpoint is made first', async () => {
  const wallTimeSeconds = 30;
  const worker = await world.worker();
  const id = await world.submit({ epochs: 100_000, pauseMs: 50 }, { limits: { wallTimeSeconds } });
  await world.when(id, ({ checkpoints }) => checkpoints.length > 0);
  worker.signal('SIGKILL');
  await worker.exited;
  await world.worker();
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'timed_out' });
  // The fault fired, and the time before it counts.
  expect(ended.attempts.map(({ reason }) => reason)).toEqual(['worker_lost', 'timed_out']);
  expect(ended.message).toMatch(
    /^It has run for the 30 s that limits\.wallTimeSeconds allows, \d+ s of them in earlier attempts/,
  );
  // Until it was last heard of: how long it took to be missed is not its time.
  const { trainedMs } = spec(await world.store.get(`experiments/${id}/spec.json`));
  expect(trainedMs).toBeGreaterThan(0);
  expect(trainedMs).toBeLessThan(msOf(ended.attempts[0]));
  const { outcome, checkpoints } = await world.head(id);
  expect(outcome).toMatchObject({ reason: 'timed_out', step: ended.attempts[1]?.lastStep });
  expect(checkpoints[0]?.step).toBe(ended.attempts[1]?.lastStep);
});

test('a trainer that does not stop within the grace is killed, and its last checkpoint stands', async () => {
  await world.endProcesses();
  const worker = await world.newWorker({ LONGRUN_GRACE_MS: '700' });
  const id = await world.submit(
    { epochs: 100_000, pauseMs: 200 },
    { limits: { wallTimeSeconds: 30 }, checkpoint: { everyBatches: 1 } },
  );
  await world.when(id, ({ checkpoints }) => checkpoints.length > 0);
  const trainer = worker.childPid() ?? 0;
  process.kill(trainer, 'SIGSTOP');
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'timed_out' });
  expect(isRunning(trainer)).toBe(false);
  const [newest] = (await world.head(id)).checkpoints;
  expect(newest?.step).toBeGreaterThan(0);
  expect(newest?.step).toBe(ended.checkpoints[0]?.step);
});

test('what has no time left is not begun', async () => {
  await world.endProcesses();
  const id = await world.submit({ epochs: 100_000 }, { limits: { wallTimeSeconds: 0.001 } });
  await world.worker();
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'failed', reason: 'timed_out' });
  expect(ended.attempts).toMatchObject([{ reason: 'timed_out', startStep: null }]);
});

function spec(bytes: Uint8Array | undefined): { readonly trainedMs?: number } {
  return JSON.parse(Buffer.from(bytes ?? []).toString());
}

function msOf(attempt: { readonly startedAt: string | null; readonly endedAt: string | null } | undefined): number {
  return Date.parse(attempt?.endedAt ?? '') - Date.parse(attempt?.startedAt ?? '');
}
