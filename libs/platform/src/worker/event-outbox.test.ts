import { EventEnvelope } from '@longrun/contracts';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { connectRedis, disconnectRedis } from '../redis/connection.js';
import { RedisKeys } from '../redis/keys.js';
import { RedisServer } from '../testing/index.js';
import { EventOutbox } from './event-outbox.js';

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
  await vi.waitFor(async () => expect((await sent()).map(({ seq }) => seq)).toEqual([3, 4, 5]), 5_000);
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
  await vi.waitFor(async () => expect(await sent()).toHaveLength(10), 5_000);
  await acknowledge('10');
  await vi.waitFor(async () => expect(await sent()).toHaveLength(20), 5_000);
  await acknowledge('25');
  await outbox.close();
});

test('who is refused is told, and says no more', async () => {
  const { outbox, acknowledge } = open();
  outbox.send({ type: 'log_row', step: 1, row: {} });
  await outbox.flush('sent', 5_000);
  expect(outbox.refused.aborted).toBe(false);
  await acknowledge('refused');
  await vi.waitFor(() => expect(outbox.refused.aborted).toBe(true), 5_000);
  expect(String(outbox.refused.reason)).toContain('a later fence was issued');
  expect(await outbox.flush('acknowledged', 5_000)).toBe(true);
  await outbox.close();
});

test('while Redis is away log rows are kept, lines only so many, and how many were dropped is said', async () => {
  const { outbox, sent } = open({ maxWaitingLines: 100 });
  await server.stopServing();
  await vi.waitFor(() => expect(redis.status).not.toBe('ready'), 5_000);
  outbox.send({ type: 'heartbeat', step: 0 });
  for (let step = 1; step <= 150; step += 1) {
    outbox.send({ type: 'line', stream: 'stdout', text: `line ${step}` });
    if (step % 5 === 0) outbox.send({ type: 'log_row', step, row: {} });
  }
  expect(await outbox.flush('sent', 50)).toBe(false);
  await server.restart();
  expect(await outbox.flush('sent', 20_000)).toBe(true);
  const events = (await sent()).map(({ event }) => event);
  expect(events.filter(({ type }) => type === 'log_row')).toHaveLength(30);
  expect(events.filter(({ type }) => type === 'heartbeat')).toHaveLength(0);
  const lines = events.flatMap((event) => (event.type === 'line' ? [event.text] : []));
  const dropped = 150 - (lines.length - 1);
  expect(lines[0]).toBe(`[${dropped} lines were dropped here while Redis was away]`);
  expect(lines.slice(1)).toEqual(
    upTo(150)
      .slice(dropped)
      .map((step) => `line ${step}`),
  );
  // The bound, and the line that tells of it.
  expect(events).toHaveLength(101);
  await outbox.close();
});

interface Opened {
  readonly outbox: EventOutbox;
  /** What lies in the stream. */
  readonly sent: () => Promise<EventEnvelope[]>;
  readonly acknowledge: (answer: string) => Promise<void>;
}

function open(options: { window?: number; maxWaitingLines?: number } = {}): Opened {
  const keys = new RedisKeys(`test-${(count += 1)}`);
  const warn = (): void => undefined;
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
    acknowledge: async (answer) => {
      await redis.set(keys.acknowledgement('exp_1', 1), answer);
    },
  };
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
