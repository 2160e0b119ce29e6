import { setTimeout as pause } from 'node:timers/promises';

import { EventEnvelope, type WorkerEvent } from '@longrun/contracts';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { connectRedis, disconnectRedis } from '../redis/connection.js';
import { RedisKeys } from '../redis/keys.js';
import { RedisServer } from '../testing/index.js';
import { EventOutbox, type EventOutboxOptions } from './event-outbox.js';

let server: RedisServer;
let redis: Redis;
let count = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis({ redisUrl: server.url, connectionName: 'test', warn: () => undefined });
  await redis.ping();
});

afterAll(async () => {
  disconnectRedis(redis);
  await server.stop();
});

test('events are numbered without gaps and sent in order; ephemeral ones have no number', async () => {
  const { outbox, sent } = open();
  outbox.send({ type: 'heartbeat', step: 0 });
  for (let step = 1; step <= 50; step += 1) outbox.send({ type: 'log_row', step, row: {} });
  expect(await outbox.flush('sent', 5_000)).toBe(true);
  const envelopes = await sent();
  expect(envelopes.filter(({ seq }) => seq === 0)).toMatchObject([{ event: { type: 'heartbeat' } }]);
  expect(envelopes.filter(({ seq }) => seq > 0).map(({ seq }) => seq)).toEqual(upTo(50));
  await outbox.close();
});

test('what was not acknowledged and is gone is sent again, what was acknowledged is not', async () => {
  const { outbox, sent, acknowledge } = open();
  for (let step = 1; step <= 5; step += 1) outbox.send({ type: 'log_row', step, row: {} });
  await outbox.flush('sent', 5_000);
  await acknowledge('2');
  await server.flushAll();
  await acknowledge('2');
  await expect.poll(async () => (await sent()).map(({ seq }) => seq)).toEqual([3, 4, 5]);
  expect(await outbox.flush('acknowledged', 100)).toBe(false);
  await acknowledge('5');
  expect(await outbox.flush('acknowledged', 5_000)).toBe(true);
  await outbox.close();
});

test('an event that still lies in the stream is not sent again, however long the record takes', async () => {
  const { outbox, sent } = open();
  outbox.send({ type: 'line', stream: 'stdout', text: 'once' });
  await outbox.flush('sent', 5_000);
  expect(await outbox.flush('acknowledged', 300)).toBe(false);
  expect(await sent()).toHaveLength(1);
  await outbox.close();
});

test('no more than a window is under way', async () => {
  const { outbox, sent, acknowledge } = open({ window: 10 });
  for (let step = 1; step <= 25; step += 1) outbox.send({ type: 'log_row', step, row: {} });
  await expect.poll(() => sent()).toHaveLength(10);
  await acknowledge('10');
  await expect.poll(() => sent()).toHaveLength(20);
  await acknowledge('25');
  await outbox.close();
});

test('who is refused is told, and says no more', async () => {
  const { outbox, acknowledge } = open();
  outbox.send({ type: 'log_row', step: 1, row: {} });
  await outbox.flush('sent', 5_000);
  expect(outbox.refused.aborted).toBe(false);
  await acknowledge('refused');
  await expect.poll(() => outbox.refused.aborted).toBe(true);
  expect(String(outbox.refused.reason)).toContain('a later fence was issued');
  expect(await outbox.flush('acknowledged', 5_000)).toBe(true);
  await outbox.close();
});

test('while Redis is away memory stays bounded: log rows are left to the checkpoints, then lines dropped, the rest is kept', async () => {
  const maxPendingBytes = 100_000;
  const { outbox, sent, follow } = open({ maxPendingBytes });
  await away();
  outbox.send({ type: 'heartbeat', step: 0 });
  let mostBytes = 0;
  for (let step = 1; step <= 2_000; step += 1) {
    outbox.send({ type: 'line', stream: 'stdout', text: `line ${step}` });
    outbox.send({ type: 'log_row', step, row: { cost: 1 / step } });
    if (step % 800 === 0) outbox.send({ type: 'checkpoint_committed', step, sizeBytes: 25 });
    mostBytes = Math.max(mostBytes, outbox.pendingBytes);
  }
  expect(mostBytes).toBeGreaterThan(0.9 * maxPendingBytes);
  expect(mostBytes).toBeLessThanOrEqual(maxPendingBytes);
  expect(await outbox.flush('sent', 50)).toBe(false);
  await server.restart();
  await follow();

  const events = (await sent()).filter(({ seq }) => seq > 0);
  expect(events.map(({ seq }) => seq)).toEqual(upTo(events.length));
  const rest = events.filter(({ event }) => event.type !== 'line').map(({ event }) => event);
  // All rows went before the first line did; what was left out between two checkpoints is said once, before the second.
  expect(rest).toEqual([
    { type: 'log_skipped', toStep: 800 },
    { type: 'checkpoint_committed', step: 800, sizeBytes: 25 },
    { type: 'log_skipped', toStep: 1600 },
    { type: 'checkpoint_committed', step: 1600, sizeBytes: 25 },
    { type: 'log_skipped', toStep: 2000 },
  ]);
  const lines = events.flatMap(({ event }) => (event.type === 'line' ? [event.text] : []));
  const kept = lines.filter((line) => line.startsWith('line'));
  expect(kept.length).toBeGreaterThan(200);
  expect(kept).toEqual(
    upTo(2_000)
      .slice(-kept.length)
      .map((step) => `line ${step}`),
  );
  const dropped = lines
    .filter((line) => line.startsWith('[longrun] lines dropped here'))
    .map((notice) => Number(notice.slice(notice.lastIndexOf(':') + 1)));
  expect(dropped.reduce((sum, some) => sum + some, 0)).toBe(2_000 - kept.length);
  expect(lines).toHaveLength(kept.length + dropped.length);
  await outbox.close();
});

test('100,000 rows with Redis away and back: bounded memory, each event sent once, the newest rows and the order kept', async () => {
  const maxPendingBytes = 2 ** 20;
  const { outbox, sent, follow } = open({ maxPendingBytes });
  await away();
  outbox.send(started);
  let mostBytes = 0;
  for (let step = 1; step <= 100_000; step += 1) {
    outbox.send({ type: 'log_row', step, row: { train_cost: 1 / step } });
    mostBytes = Math.max(mostBytes, outbox.pendingBytes);
  }
  expect(mostBytes).toBeLessThanOrEqual(maxPendingBytes);
  await server.restart();
  await follow();

  const events = (await sent()).map(({ event }) => event);
  const rows = events.flatMap((event) => (event.type === 'log_row' ? [event.step] : []));
  const toStep = 100_000 - rows.length;
  expect(events.slice(0, 2)).toEqual([started, { type: 'log_skipped', toStep }]);
  expect(rows).toEqual(upTo(rows.length).map((index) => toStep + index));
  expect(events).toHaveLength(2 + rows.length);
  await outbox.close();
});

test('what was sent keeps its number and its content, however much is left out behind it', async () => {
  const { outbox, sent, acknowledge } = open({ maxPendingBytes: 20_000, window: 10 });
  for (let step = 1; step <= 10; step += 1) outbox.send({ type: 'log_row', step, row: { cost: step } });
  expect(await outbox.flush('sent', 5_000)).toBe(true);
  for (let step = 11; step <= 500; step += 1) outbox.send({ type: 'log_row', step, row: { cost: step } });
  await server.flushAll();
  await expect.poll(() => sent()).toHaveLength(10);
  const again = await sent();
  expect(again.map(({ seq }) => seq)).toEqual(upTo(10));
  expect(again.map(({ event }) => event)).toEqual(
    upTo(10).map((step) => ({ type: 'log_row', step, row: { cost: step } })),
  );
  await acknowledge('10');
  await expect.poll(async () => (await sent())[10]?.event).toMatchObject({ type: 'log_skipped' });
  await outbox.close();
});

test('one event larger than all that may be pending is left out like others', async () => {
  const { outbox, sent } = open({ maxPendingBytes: 10_000 });
  await away();
  outbox.send({ type: 'log_row', step: 1, row: { sample: 'x'.repeat(50_000) } });
  outbox.send({ type: 'log_row', step: 2, row: { cost: 1 } });
  expect(outbox.pendingBytes).toBeLessThan(10_000);
  await server.restart();
  expect(await outbox.flush('sent', 20_000)).toBe(true);
  expect((await sent()).map(({ event }) => event)).toEqual([
    { type: 'log_skipped', toStep: 1 },
    { type: 'log_row', step: 2, row: { cost: 1 } },
  ]);
  await outbox.close();
});

test('while the record takes events, but they come faster, the pressure is high until it has caught up', async () => {
  const { outbox, sent, acknowledge } = open({ maxPendingBytes: 100_000, window: 20 });
  for (let step = 1; step <= 20; step += 1) outbox.send({ type: 'log_row', step, row: {} });
  await expect.poll(() => sent()).toHaveLength(20);
  await acknowledge('20');
  expect(await outbox.flush('acknowledged', 5_000)).toBe(true);

  let step = 20;
  while (!outbox.pressure.isHigh) outbox.send({ type: 'log_row', step: (step += 1), row: {} });
  expect(outbox.pendingBytes).toBeLessThan(60_000);
  const relief = { came: false };
  const relieved = outbox.pressure.relieved().then(() => (relief.came = true));
  await acknowledge('40');
  await expect.poll(async () => (await sent()).at(-1)?.seq).toBe(60);
  expect(relief.came).toBe(false);
  for (let last = 60; !relief.came; last += 20) {
    await acknowledge(String(last));
    await expect.poll(async () => relief.came || (await sent()).at(-1)?.seq === Math.min(step, last + 20)).toBe(true);
  }
  await relieved;
  expect(outbox.pressure.isHigh).toBe(false);
  expect(outbox.pendingBytes).toBeLessThanOrEqual(25_000);
  expect((await sent()).every(({ event }) => event.type === 'log_row')).toBe(true);
  await outbox.close();
});

const interruptions: readonly (readonly [string, () => Promise<void>])[] = [
  ['Redis goes away', away],
  ['the record takes nothing any more', () => Promise.resolve()],
];

test.for(interruptions)('nobody is made to wait when %s', async ([, stop]) => {
  const { outbox, sent, acknowledge } = open({ maxPendingBytes: 50_000, window: 20, stillAfterMs: 300 });
  outbox.send({ type: 'log_row', step: 1, row: {} });
  await expect.poll(() => sent()).toHaveLength(1);
  await acknowledge('1');
  expect(await outbox.flush('acknowledged', 5_000)).toBe(true);
  let step = 1;
  while (!outbox.pressure.isHigh) outbox.send({ type: 'log_row', step: (step += 1), row: {} });
  await stop();
  await outbox.pressure.relieved();
  expect(outbox.pressure.isHigh).toBe(false);
  expect(outbox.pendingBytes).toBeGreaterThan(25_000);
  // And the memory stays bounded.
  for (let more = 1; more <= 500; more += 1) outbox.send({ type: 'log_row', step: step + more, row: {} });
  expect(outbox.pressure.isHigh).toBe(false);
  expect(outbox.pendingBytes).toBeLessThanOrEqual(50_000);
  if (redis.status !== 'ready') await server.restart();
  await outbox.close();
});

test('a Redis that refuses to write is complained of once, not with every event', async () => {
  const warnings: string[] = [];
  const { outbox, sent } = open({ warn: (sentence) => warnings.push(sentence) });
  await redis.config('SET', 'maxmemory', '1');
  for (let step = 1; step <= 50; step += 1) {
    outbox.send({ type: 'log_row', step, row: {} });
    await pause(5);
  }
  await expect.poll(() => warnings).toHaveLength(1);
  expect(warnings[0]).toContain('OOM command not allowed');
  await redis.config('SET', 'maxmemory', '0');
  expect(await outbox.flush('sent', 5_000)).toBe(true);
  expect((await sent()).map(({ seq }) => seq)).toEqual(upTo(50));
  expect(warnings).toHaveLength(1);
  await outbox.close();
});

async function away(): Promise<void> {
  await server.stopServing();
  await expect.poll(() => redis.status).not.toBe('ready');
}

const started: WorkerEvent = {
  type: 'attempt_started',
  workerId: 'gpu-1',
  startStep: 0,
  engine: 'reference',
  environment: { threads: 1 },
  rejectedCheckpoints: [],
};

interface Opened {
  readonly outbox: EventOutbox;
  /** What lies in the stream. */
  readonly sent: () => Promise<EventEnvelope[]>;
  readonly acknowledge: (answer: string) => Promise<void>;
  /** Takes whatever comes, as the record does, until nothing is pending. */
  readonly follow: () => Promise<void>;
}

function open(options: Partial<EventOutboxOptions> = {}): Opened {
  const keys = new RedisKeys(`test-${(count += 1)}`);
  const warn = (): void => undefined;
  const acknowledge = async (answer: string): Promise<void> => {
    await redis.set(keys.acknowledgement('exp_1', 1), answer);
  };
  const outbox = new EventOutbox({
    redis,
    keys,
    kind: 'experiment',
    id: 'exp_1',
    fence: 1,
    warn,
    checkEveryMs: 20,
    ...options,
  });
  return {
    outbox,
    sent: async () => {
      const entries = await redis.xrange(keys.events, '-', '+');
      return entries.map(([, fields]) => EventEnvelope.parse(JSON.parse(fields[1] ?? '')));
    },
    acknowledge,
    follow: async () => {
      while (outbox.pendingBytes > 0) {
        const [newest] = await redis.xrevrange(keys.events, '+', '-', 'COUNT', 1);
        if (newest !== undefined) await acknowledge(String(EventEnvelope.parse(JSON.parse(newest[1][1] ?? '')).seq));
        await pause(5);
      }
    },
  };
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
