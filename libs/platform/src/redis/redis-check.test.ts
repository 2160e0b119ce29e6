import type { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';

import { RedisServer, until } from '../testing/index.js';
import { connectRedis, disconnectRedis } from './connection.js';
import { RedisKeys } from './keys.js';
import { checkRedis, type RedisVerdict } from './redis-check.js';

const servers: RedisServer[] = [];
const connections: Redis[] = [];

afterEach(async () => {
  for (const redis of connections.splice(0)) disconnectRedis(redis);
  for (const server of servers.splice(0)) await server.stop();
});

test('a Redis that keeps and takes what it is given is usable, and nothing of the probe stays for long', async () => {
  const redis = await connect(await serve());
  expect(await verdictOf(redis)).toEqual({ usable: true });
  const [key = ''] = await redis.keys('*');
  expect(key).toContain('test:probe:');
  expect(await redis.ttl(key)).toBeGreaterThan(0);
});

test('one that evicts is told apart before it does', async () => {
  const server = await serve(['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru']);
  const redis = await connect(server);
  expect(await verdictOf(redis)).toEqual({
    usable: false,
    flaw: 'evicts',
    sentence: 'Redis evicts keys (maxmemory-policy allkeys-lru), and with them jobs and events; set it to noeviction.',
  });
  // It is not a matter of words: it does.
  await redis.set('first', 'x'.repeat(10_000));
  for (let count = 1; count <= 400; count += 1) await redis.set(`more-${count}`, 'x'.repeat(10_000));
  expect(Number(/evicted_keys:(\d+)/.exec(await redis.info('stats'))?.[1])).toBeGreaterThan(0);
});

test('one that is full refuses writes, and takes them again when it has room', async () => {
  const redis = await connect(await serve(['--maxmemory', '3mb']));
  await expect(fill(redis)).rejects.toThrow('OOM command not allowed');
  // So that it is over the limit, whatever buffers come and go.
  await redis.config('SET', 'maxmemory', '2mb');
  const verdict = await verdictOf(redis);
  expect(verdict).toMatchObject({ usable: false, flaw: 'refuses_writes' });
  expect(sentenceOf(verdict)).toMatch(/^Redis refuses to write: OOM .* Give it more memory/);
  await redis.config('SET', 'maxmemory', '0');
  expect(await verdictOf(redis)).toEqual({ usable: true });
});

test('a replica takes no writes', async () => {
  const primary = await serve();
  const replica = await connect(await serve(['--replicaof', `127.0.0.1 ${primary.port}`]));
  const verdict = await verdictOf(replica);
  expect(verdict).toMatchObject({ usable: false, flaw: 'refuses_writes' });
  expect(sentenceOf(verdict)).toContain('It is a replica: set REDIS_URL to its primary.');
});

test('a user who may neither see the policy nor write is told so', async () => {
  const server = await serve();
  const owner = await connect(server);
  await owner.call('ACL', 'SETUSER', 'guest', 'on', '>secret', '~*', '+@read', '+@connection', '-info', '-config');
  const guest = await connect(server, `redis://guest:secret@127.0.0.1:${server.port}`);
  const verdict = await verdictOf(guest);
  expect(verdict).toMatchObject({ usable: false, flaw: 'refuses_writes' });
  expect(sentenceOf(verdict)).toContain('Its user may not write');
});

test('one that has gone, or answers no more, is away: nobody waits for it', async () => {
  const server = await serve();
  const redis = await connect(server);
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  process.kill(pid, 'SIGSTOP');
  try {
    const verdict = await checkRedis(redis, keys, 100);
    expect(verdict).toMatchObject({ usable: false, flaw: 'away' });
    expect(sentenceOf(verdict)).toContain('has not answered for 100 ms');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await server.stopServing();
  await until(() => redis.status !== 'ready');
  expect(await verdictOf(redis)).toMatchObject({ usable: false, flaw: 'away' });
});

const keys = new RedisKeys('test');

/** With more patience than a busy machine needs. */
async function verdictOf(redis: Redis): Promise<RedisVerdict> {
  return await checkRedis(redis, keys, 20_000);
}

async function serve(settings: readonly string[] = []): Promise<RedisServer> {
  const server = await RedisServer.start(settings);
  servers.push(server);
  return server;
}

async function connect(server: RedisServer, redisUrl = server.url): Promise<Redis> {
  const redis = connectRedis({ redisUrl, connectionName: 'test', warn: () => undefined });
  connections.push(redis);
  await until(() => redis.status === 'ready');
  return redis;
}

async function fill(redis: Redis): Promise<void> {
  for (let count = 1; count <= 1_000; count += 1) await redis.set(`fill-${count}`, 'x'.repeat(10_000));
}

function sentenceOf(verdict: RedisVerdict): string {
  return verdict.usable ? '' : verdict.sentence;
}
