import type { LiveEvent } from '@longrun/contracts';
import { expect } from 'vitest';

import { until } from '../src/testing/index.js';
import { test, type World } from './world.js';

test('a follower gets what was stored, then what comes, once and in order, and the end', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const early = follow(world, id, 0);
  const attempt = await world.worker('gpu-1').next();
  attempt.start().train(700);
  await until(() => early.events.length > 300);
  const late = follow(world, id, 0);
  const resumed = follow(world, id, 250);
  attempt.train(1400);
  await attempt.commit();
  attempt.outbox.send({ type: 'line', stream: 'stdout', text: 'done' });
  await attempt.succeed();
  await Promise.all([early.over, late.over, resumed.over]);

  const ids = early.events.map((event) => event.id);
  expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => index + 1));
  expect(late.events).toEqual(early.events);
  expect(resumed.events).toEqual(early.events.slice(250));
  const types = early.events.map((event) => event.type);
  expect(types.slice(0, 3)).toEqual(['status', 'status', 'attempt_started']);
  expect(types.filter((type) => type === 'log_row')).toHaveLength(1400);
  expect(types.slice(-4)).toEqual(['checkpoint', 'line', 'attempt_ended', 'status']);
  expect(early.events.at(-1)).toMatchObject({ data: { status: 'succeeded', result: { lastRow: { cost: 1 / 1400 } } } });
  // Whoever asks after the end gets the same, and no waiting.
  const after = follow(world, id, 0);
  await after.over;
  expect(after.events).toEqual(early.events);
  const nothing = follow(world, id, ids.length);
  await nothing.over;
  expect(nothing.events).toEqual([]);
});

test('progress is sent to those who follow now, without an id, and the newest is kept', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  attempt.start();
  const followed = follow(world, id, 0, true);
  await until(() => followed.events.some((event) => event.type === 'attempt_started'));
  attempt.outbox.send({ type: 'progress', step: 7, epoch: 0, stepsPerEpoch: 10, stepsPerSecond: 3.5 });
  await until(() => followed.events.some((event) => event.type === 'progress'));
  expect(followed.events.find((event) => event.type === 'progress')).toMatchObject({
    id: null,
    data: { step: 7, epoch: 0, stepsPerEpoch: 10, stepsPerSecond: 3.5 },
  });
  const experiment = await world.when(id, ({ progress }) => progress !== null);
  expect(experiment.progress).toEqual({ step: 7, epoch: 0, stepsPerEpoch: 10, stepsPerSecond: 3.5 });
  expect(experiment.attempts[0]?.lastStep).toBe(7);
});

test('a follower who does not read for a while misses nothing', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const slow = world.platform.experiments.subscribe(id)[Symbol.asyncIterator]();
  await slow.next();
  const attempt = await world.worker('gpu-1').next();
  attempt.start().train(12_000);
  await attempt.succeed();
  await world.when(id, ({ status }) => status === 'succeeded');
  let count = 1;
  let last = 1;
  const withoutId: string[] = [];
  for (let next = await slow.next(); next.done !== true; next = await slow.next()) {
    const event: LiveEvent = next.value;
    if (event.id === null) {
      withoutId.push(event.type);
      continue;
    }
    expect(event.id).toBe(last + 1);
    last = event.id;
    count += 1;
  }
  expect(count).toBe(12_000 + 5);
  expect(withoutId).toEqual(['caught-up']);
});

test('a subscription ends when it is aborted, and when the platform closes', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const stop = new AbortController();
  const aborted = follow(world, id, 0, false, stop.signal);
  const closed = follow(world, id, 0);
  await until(() => aborted.events.length > 0 && closed.events.length > 0);
  stop.abort();
  await aborted.over;
  await world.platform.close();
  await closed.over;
});

test('a follower is told once where what had happened is over, and before anything that happens later', async ({
  world,
}) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  attempt.start().train(20);
  await world.when(id, ({ attempts }) => attempts[0]?.lastStep === 20);
  const followed = follow(world, id, 0, true);
  await until(() => followed.events.some(({ type }) => type === 'caught-up'));
  expect(followed.events.at(-1)?.type).toBe('caught-up');
  const before = followed.events.length;
  await attempt.train(30).succeed();
  await followed.over;
  expect(followed.events.slice(before).some(({ type }) => type === 'caught-up')).toBe(false);

  const late = follow(world, id, 0, true);
  await late.over;
  expect(late.events.at(-1)).toMatchObject({ type: 'caught-up', id: null });
  const stored = late.events.slice(0, -1);
  expect(stored).toEqual(followed.events.filter((event) => event.id !== null));
  const unknown = follow(world, 'exp_unknown', 0, true);
  await unknown.over;
  expect(unknown.events).toEqual([]);
});

test('a follower may wait for events that are far off, by any number that JSON can say', async ({ world }) => {
  await world.start();
  await world.readyDataset();
  const id = await world.submit();
  const attempt = await world.worker('gpu-1').next();
  attempt.start();
  await world.when(id, ({ attempts }) => attempts[0]?.startStep === 0);
  const soon = follow(world, id, 10, true);
  const never = follow(world, id, Number.MAX_SAFE_INTEGER, true);
  const never32 = follow(world, id, 2 ** 31 - 1, true);
  await until(() => [soon, never, never32].every(({ events }) => events.some(({ type }) => type === 'caught-up')));
  await attempt.train(20).succeed();
  await Promise.all([soon.over, never.over, never32.over]);
  expect(soon.events.map((event) => event.id).slice(0, 3)).toEqual([null, 11, 12]);
  expect(never.events).toHaveLength(1);
  expect(never32.events).toHaveLength(1);
});

interface Followed {
  readonly events: LiveEvent[];
  readonly over: Promise<void>;
}

/** Collects what a subscription gives; progress only when it is asked for. */
function follow(world: World, id: string, afterId: number, progress = false, signal?: AbortSignal): Followed {
  const events: LiveEvent[] = [];
  const over = (async () => {
    for await (const event of world.platform.experiments.subscribe(id, afterId, signal)) {
      if (progress || event.id !== null) events.push(event);
    }
  })();
  return { events, over };
}
