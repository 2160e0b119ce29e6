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
  for (let next = await slow.next(); next.done !== true; next = await slow.next()) {
    const event: LiveEvent = next.value;
    expect(event.id).toBe(last + 1);
    last = event.id ?? last;
    count += 1;
  }
  expect(count).toBe(12_000 + 5);
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
