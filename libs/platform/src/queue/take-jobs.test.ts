import { setTimeout as pause } from 'node:timers/promises';

import type { JobTicket } from '@longrun/contracts';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { connectRedis, disconnectRedis } from '../redis/connection.js';
import { RedisKeys } from '../redis/keys.js';
import { RedisServer } from '../testing/index.js';
import { WorkerLink } from '../worker/worker-link.js';
import { JobQueue } from './job-queue.js';

const settings = { lockDurationMs: 60_000, lockRenewMs: 10_000, stalledCheckMs: 1_000, retryDelayMs: 50 };
const warnings: string[] = [];
const warn = (sentence: string): void => void warnings.push(sentence);
const links: WorkerLink[] = [];
let server: RedisServer;
let redis: ReturnType<typeof connectRedis>;
let queue: JobQueue;
let prefix = '';
let count = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis({ redisUrl: server.url, connectionName: 'test', warn });
});

beforeEach(() => {
  warnings.length = 0;
  prefix = `test-${(count += 1)}`;
  queue = new JobQueue(redis, new RedisKeys(prefix), 'experiment', warn);
});

afterAll(async () => {
  for (const made of links) made.close();
  disconnectRedis(redis);
  await server.stop();
});

test('jobs come by rank; one that is put in twice comes once', async () => {
  for (const [fence, rank] of [
    [1, 300],
    [2, 100],
    [3, 200],
  ] as const)
    await queue.add({ id: 'exp_1', fence }, rank);
  await queue.add({ id: 'exp_1', fence: 3 }, 200);
  await queue.rerank({ id: 'exp_1', fence: 1 }, 50);
  const taken: number[] = [];
  const taker = link('a').takeJobs('experiment', async ({ fence }) => void taken.push(fence));
  await expect.poll(() => taken).toHaveLength(3);
  await pause(50);
  expect(taken).toEqual([1, 2, 3]);
  await expect.poll(() => queue.has({ id: 'exp_1', fence: 3 })).toBe(false);
  await taker.close();
});

test('closing lets the running handler finish and leaves the next job for others', async () => {
  await queue.add({ id: 'exp_1', fence: 1 }, 1);
  await queue.add({ id: 'exp_2', fence: 1 }, 2);
  const first = gate();
  const seen: string[] = [];
  const a = link('a').takeJobs('experiment', async ({ id }) => {
    seen.push(`a ${id}`);
    await first.passed;
  });
  await expect.poll(() => seen).toEqual(['a exp_1']);
  let closed = false;
  const closing = a.close().then(() => (closed = true));
  await pause(100);
  expect(closed).toBe(false);
  first.open();
  await closing;
  const b = link('b').takeJobs('experiment', async ({ id }) => void seen.push(`b ${id}`));
  await expect.poll(() => seen).toEqual(['a exp_1', 'b exp_2']);
  await b.close();
});

test('a worker that vanishes loses its job to another, as often as it takes', async () => {
  await queue.add({ id: 'exp_1', fence: 1 }, 1);
  const starts: JobTicket[] = [];
  // BullMQ's own default gives up after the first.
  for (let round = 1; round <= 3; round += 1) {
    const vanishing = link(`round-${round}`, {
      ...settings,
      lockDurationMs: 400,
      lockRenewMs: 190,
      stalledCheckMs: 100,
    });
    const held = gate();
    vanishing.takeJobs('experiment', async (ticket) => {
      starts.push(ticket);
      await held.passed;
    });
    await expect.poll(() => starts).toHaveLength(round);
    vanishing.close();
  }
  expect(new Set(starts.map(({ id }) => id))).toEqual(new Set(['exp_1']));
});

test('a worker comes to what it can take, behind however many jobs it leaves to others', async () => {
  const others = Array.from({ length: 2_000 }, (_, index) => index + 1);
  await Promise.all(others.map((fence) => queue.add({ id: 'exp_1', fence, engine: 'tfjs' }, fence)));
  await queue.add({ id: 'exp_2', fence: 1 }, 3_000);
  const taken: string[] = [];
  const taker = link('a').takeJobs('experiment', async ({ id }) => void taken.push(id), {
    engines: { onnxruntime: ['cpu'] },
  });
  await expect.poll(() => taken).toEqual(['exp_2']);
  await taker.close();
});

test('a handler that throws is reported, and its job may be put in again', async () => {
  await queue.add({ id: 'exp_1', fence: 1 }, 1);
  let runs = 0;
  const taker = link('a').takeJobs('experiment', async () => {
    runs += 1;
    if (runs === 1) throw new Error('no space on the disk');
  });
  await expect.poll(() => warnings.join()).toContain('no space on the disk');
  await expect.poll(() => queue.has({ id: 'exp_1', fence: 1 })).toBe(false);
  await queue.add({ id: 'exp_1', fence: 1 }, 1);
  await expect.poll(() => runs).toBe(2);
  await taker.close();
});

function link(workerId: string, queueSettings = settings): WorkerLink {
  const made = new WorkerLink({ redisUrl: server.url, workerId, prefix, queue: queueSettings, warn });
  links.push(made);
  return made;
}

function gate(): { readonly passed: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}
