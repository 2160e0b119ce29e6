import type { Redis } from 'ioredis';

import { within } from '../processes/patience.js';
import type { RedisKeys } from './keys.js';

/** What is wrong with a Redis. */
export type RedisFlaw =
  /** It does not answer. */
  | 'away'
  /** It throws keys away when its memory is full. */
  | 'evicts'
  /** It answers, and does not take writes. */
  | 'refuses_writes';

/** Whether a Redis can be worked with, and if not, a sentence that says why and what to do. */
export type RedisVerdict =
  | { readonly usable: true }
  | { readonly usable: false; readonly flaw: RedisFlaw; readonly sentence: string };

/**
 * Tries whether a Redis serves: it must keep what it is given (`maxmemory-policy noeviction`) and take a write. Never waits
 * longer than `timeoutMs`, and never throws.
 */
export async function checkRedis(redis: Redis, keys: RedisKeys, timeoutMs = 2_000): Promise<RedisVerdict> {
  if (redis.status !== 'ready') return flawed('away', 'Redis cannot be reached; start it, or set REDIS_URL.');
  return (
    (await within(timeoutMs, tried(redis, keys))) ??
    flawed('away', `Redis has not answered for ${timeoutMs} ms; look whether it is overloaded or stopped.`)
  );
}

async function tried(redis: Redis, keys: RedisKeys): Promise<RedisVerdict> {
  const policy = await evictionPolicy(redis);
  if (policy !== undefined && policy !== 'noeviction')
    return flawed(
      'evicts',
      `Redis evicts keys (maxmemory-policy ${policy}), and with them jobs and events; set it to noeviction.`,
    );
  const key = keys.probe(`${process.pid}`);
  const written = `${Date.now()}`;
  try {
    await redis.set(key, written, 'EX', 60);
    if ((await redis.get(key)) === written) return { usable: true };
    return flawed('refuses_writes', `Redis took a write and does not have it; give Longrun a Redis, not a cache.`);
  } catch (error) {
    const answer = error instanceof Error ? error.message : String(error);
    return flawed('refuses_writes', `Redis refuses to write: ${answer} ${remedyFor(answer)}`);
  }
}

/** Undefined where this client may not know it. */
async function evictionPolicy(redis: Redis): Promise<string | undefined> {
  const memory = await redis.info('memory').catch(() => '');
  const said = /^maxmemory_policy:(.*?)\r?$/m.exec(memory)?.[1];
  if (said !== undefined) return said;
  const setting = await redis.config('GET', 'maxmemory-policy').catch(() => undefined);
  return Array.isArray(setting) && typeof setting[1] === 'string' ? setting[1] : undefined;
}

/** By the first word of Redis' own answer. */
function remedyFor(answer: string): string {
  switch (answer.split(' ', 1)[0]) {
    case 'OOM':
      return 'Give it more memory (maxmemory), or free some.';
    case 'READONLY':
      return 'It is a replica: set REDIS_URL to its primary.';
    case 'MISCONF':
      return 'It cannot save to its disk: free some space there.';
    case 'NOPERM':
      return 'Its user may not write: grant it all keys of the prefix.';
    default:
      return 'Look into its log.';
  }
}

function flawed(flaw: RedisFlaw, sentence: string): RedisVerdict {
  return { usable: false, flaw, sentence };
}
