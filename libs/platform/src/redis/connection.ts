import { Redis } from 'ioredis';

import { logLine } from '../log-line.js';

/** Says in one sentence what went wrong and what happens next. */
export type Warn = (sentence: string) => void;

export interface RedisConnectionOptions {
  /** `redis://host:port/db`, or `rediss://` for TLS. */
  readonly redisUrl: string;
  /** Shown by `CLIENT LIST`: who this is. */
  readonly connectionName: string;
  /** Told when the connection is lost. */
  readonly warn: Warn;
}

/**
 * A connection that outlives its Redis: it reconnects for ever, at most a second apart, and commands wait meanwhile.
 * Whoever opens it calls {@link disconnectRedis}.
 */
export function connectRedis(options: RedisConnectionOptions): Redis {
  const redis: Redis = new Redis(options.redisUrl, {
    connectionName: options.connectionName,
    // BullMQ demands it of connections that block; for the others it means waiting instead of failing.
    maxRetriesPerRequest: null,
    // A connection whose other end has gone without a word is given up. Longer than any read blocks.
    socketTimeout: 30_000,
    retryStrategy: (times) => (closing.has(redis) ? null : Math.min(50 * times, 1000)),
  });
  redis.on('connect', () => {
    if (closing.has(redis)) redis.disconnect();
  });
  let lastMessage = '';
  redis.on('error', (error: Error) => {
    // One sentence for each outage, not one for each of its reconnections.
    const message = error.message === '' ? error.name : error.message;
    if (message !== lastMessage) options.warn(`Redis (${options.connectionName}): ${message}; reconnecting`);
    lastMessage = message;
  });
  redis.on('ready', () => {
    lastMessage = '';
  });
  return redis;
}

/**
 * Ends a connection. What waits on it fails, at the latest a second later: between two attempts to reconnect
 * `disconnect()` would leave it waiting for ever, so that the next attempt is made to be the last.
 */
export function disconnectRedis(redis: Redis): void {
  closing.add(redis);
  if (redis.status !== 'reconnecting') redis.disconnect();
}

const closing = new WeakSet<Redis>();

/** True for what a lost connection says; its own `error` event has said it already, and it is being replaced. */
export function isConnectionError(error: Error): boolean {
  if (error.message === 'Connection is closed.') return true;
  return 'code' in error && typeof error.code === 'string' && /^(E[A-Z]+|NR_CLOSED)$/.test(error.code);
}

/** Warnings as lines on standard error. */
export const warnOnStderr: Warn = (sentence) => {
  process.stderr.write(logLine(sentence));
};
