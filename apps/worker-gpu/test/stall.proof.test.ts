import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@longrun/platform/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SlowStore } from './slow-store.js';
import { World } from './world.js';

/** Several tests wait for it. It is as long as a busy disk may keep a trainer that has not stalled. */
const limits = { stallSeconds: 5, firstStepSeconds: 600 };
let world: World;

beforeAll(async () => {
  world = await World.begin();
});

afterAll(async () => {
  await world.end();
});

test.each([
  {
    kind: 'loop' as const,
    said: 'the loop that never ends',
    // It goes on from its checkpoint, whatever it stalled in.
    earliestStarts: [0, 7],
    found: [
      /The stack of the trainer/,
      /at #turn \(file:.*program\/program\.mjs:\d+:\d+\)/,
      /at afterBatch \(file:.*program\.mjs/,
    ],
  },
  {
    kind: 'await' as const,
    said: 'the promise that never comes',
    earliestStarts: [0],
    found: [/The event loop of the trainer is idle, so that there is no stack/],
  },
  {
    kind: 'native' as const,
    said: 'the call that never returns',
    earliestStarts: [0],
    found: [/The trainer is in a native call, of which no stack can be taken/, / {4}\S.*: R \(running\)/],
  },
])(
  'a trainer caught in a callback ($kind) is ended as stalled, and the log says where it stands',
  async ({ kind, said, earliestStarts, found }) => {
    await world.worker();
    const id = await world.submit(
      { fault: { kind, step: 29 }, pauseMs: 20 },
      { limits, retry: { maxFailures: earliestStarts.length - 1, backoffMs: 1 }, checkpoint: { everyBatches: 7 } },
    );
    await world.when(id, ({ attempts }) => attempts[0]?.endedAt != null);
    const ended = await world.whenEnded(id);
    const lines = (await world.events(id)).flatMap((event) => (event.type === 'line' ? [event.data.text] : []));
    expect(lines.filter((line) => line.includes(said))).toHaveLength(earliestStarts.length);
    expect(ended).toMatchObject({ status: 'failed', reason: 'stalled', failures: earliestStarts.length });
    expect(ended.attempts.map(({ reason }) => reason)).toEqual(earliestStarts.map(() => 'stalled'));
    for (const [at, earliest] of earliestStarts.entries())
      expect(ended.attempts[at]?.startStep).toBeGreaterThanOrEqual(earliest);
    const { stallSeconds } = limits;
    expect(ended.message).toContain(
      `The trainer has shown no progress for ${stallSeconds} s, which is as long as it may (${stallSeconds} s`,
    );
    expect(ended.message).toContain('it is at: callback afterBatch of Behaviour');
    for (const pattern of found) expect(lines.some((line) => pattern.test(line))).toBe(true);
  },
);

test('an evaluation that takes longer than that is no stall, for its batches come one after the other', async () => {
  await world.worker();
  const id = await world.submit({ epochs: 1, testPauseMs: 3_000 }, { limits, retry: { maxFailures: 0 } });
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ message: null, status: 'succeeded' });
  const [start, end] = [ended.startedAt, ended.endedAt].map((at) => Date.parse(at ?? ''));
  // The fault fired: two evaluations of several batches.
  expect((end ?? 0) - (start ?? 0)).toBeGreaterThan(2 * limits.stallSeconds * 1000);
});

test('a trainer that was suspended goes on: its time stood still', async () => {
  const worker = await world.worker();
  const id = await world.submit({ epochs: 100_000, pauseMs: 30 }, { limits, retry: { maxFailures: 0 } });
  const stepOf = async (): Promise<number> => (await world.platform.experiments.get(id)).progress?.step ?? 0;
  await until(async () => (await stepOf()) >= 3);
  const trainer = await worker.child();
  process.kill(trainer, 'SIGSTOP');
  // The worker sees nothing move for longer than it may, and hears no beat.
  await sleep(2 * limits.stallSeconds * 1000);
  const stoppedAt = await stepOf();
  process.kill(trainer, 'SIGCONT');
  await until(async () => (await stepOf()) > stoppedAt + 10);
  await world.platform.experiments.cancel(id);
  const ended = await world.whenEnded(id);
  expect(ended).toMatchObject({ status: 'cancelled', failures: 0 });
  expect(ended.attempts).toHaveLength(1);
});

test('a trainer that waits for its worker to commit has not stalled', async () => {
  await world.endProcesses();
  const store = new SlowStore(world.store, (key) => key.includes('/blobs/'));
  const stop = await world.localWorker({ workerId: 'slow', store });
  const id = await world.submit(
    // Slow enough for its progress to be told before it waits.
    { epochs: 1, pauseMs: 40 },
    { limits, retry: { maxFailures: 0 }, checkpoint: { everyBatches: 8 } },
  );
  const stepOf = async (): Promise<number> => (await world.platform.experiments.get(id)).progress?.step ?? 0;
  await until(() => store.isWaitedFor);
  // It comes to its third checkpoint while the first is not committed, and waits.
  await until(async () => (await stepOf()) >= 16);
  await sleep(2 * limits.stallSeconds * 1000);
  expect(await stepOf()).toBeLessThanOrEqual(24);
  store.release();

  expect(await world.whenEnded(id)).toMatchObject({ message: null, status: 'succeeded', failures: 0 });
  await stop();
});
