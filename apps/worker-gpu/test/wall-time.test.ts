import { isRunning } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from './world.js';

/** Bounds a hang and judges nothing. */
const LONG_ENOUGH_MS = 600_000;

let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test('all attempts together train no longer than limits.wallTimeSeconds, and a checkpoint is made first', async () => {
  const wallTimeSeconds = 600;
  const worker = await world.worker();
  const id = await world.submit({ epochs: 100_000, pauseMs: 50 }, { limits: { wallTimeSeconds } });
  await world.when(id, ({ checkpoints }) => checkpoints.length > 0);
  worker.signal('SIGKILL');
  await worker.exited;
  let nowMs = 0;
  const stop = await world.localWorker({ workerId: 'second', graceMs: LONG_ENOUGH_MS, now: () => nowMs });
  await world.when(id, ({ attempts }) => (attempts[1]?.lastStep ?? 0) > (attempts[1]?.startStep ?? 0));
  nowMs = wallTimeSeconds * 1000;
  const ended = await world.whenEnded(id);
  await stop();
  expect(ended).toMatchObject({ status: 'failed', reason: 'timed_out' });
  // The fault fired, and the time before it counts.
  expect(ended.attempts.map(({ reason }) => reason)).toEqual(['worker_lost', 'timed_out']);
  expect(ended.message).toMatch(
    /^It has run for the 600 s that limits\.wallTimeSeconds allows, \d+ s of them in earlier attempts/,
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
  const wallTimeSeconds = 600;
  let nowMs = 0;
  const stop = await world.localWorker({ workerId: 'strict', graceMs: 700, now: () => nowMs });
  const id = await world.submit(
    { fault: { kind: 'block', step: 9 } },
    { limits: { wallTimeSeconds }, checkpoint: { everyBatches: 1 } },
  );
  const trainer = await blockedTrainer(id);
  await world.when(id, ({ checkpoints }) => checkpoints.length > 0);
  nowMs = wallTimeSeconds * 1000;
  const ended = await world.whenEnded(id);
  await stop();
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

/** The process of a trainer that is caught in a step. */
async function blockedTrainer(id: string): Promise<number> {
  for await (const event of world.platform.experiments.subscribe(id)) {
    const said = event.type === 'line' ? /the step that never ends, in process (\d+)/.exec(event.data.text) : null;
    if (said !== null) return Number(said[1]);
  }
  throw new Error(`${id} has ended`);
}

function spec(bytes: Uint8Array | undefined): { readonly trainedMs?: number } {
  return JSON.parse(Buffer.from(bytes ?? []).toString());
}

function msOf(attempt: { readonly startedAt: string | null; readonly endedAt: string | null } | undefined): number {
  return Date.parse(attempt?.endedAt ?? '') - Date.parse(attempt?.startedAt ?? '');
}
