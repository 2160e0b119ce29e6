import { setTimeout as sleep } from 'node:timers/promises';

import type { WorkerReport } from '@longrun/contracts';
import type { Redis } from 'ioredis';

import type { RedisKeys } from '../redis/keys.js';

/**
 * That a worker is there, in Redis, where the record finds it. Said again with every beat, so that a Redis that lost it has
 * it back at the next one; never waited for, and not said at all while Redis is away.
 */
export class Presence {
  readonly #redis: Redis;
  readonly #keys: RedisKeys;
  readonly #workerId: string;
  readonly #connection: string;
  #beat = 0;
  #isUnanswered = false;

  /** @param connection the name under which this process holds its connection */
  constructor(redis: Redis, keys: RedisKeys, workerId: string, connection: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#workerId = workerId;
    this.#connection = connection;
  }

  /** Says how the worker is. */
  say(state: Omit<WorkerReport, 'workerId' | 'beat' | 'connection'>): void {
    // A Redis that does not answer is not given more to answer.
    if (this.#redis.status !== 'ready' || this.#isUnanswered) return;
    this.#beat += 1;
    this.#isUnanswered = true;
    const report: WorkerReport = {
      workerId: this.#workerId,
      connection: this.#connection,
      ...state,
      beat: this.#beat,
    };
    this.#redis
      .hset(this.#keys.workers, this.#workerId, JSON.stringify(report))
      .catch(() => undefined)
      .finally(() => (this.#isUnanswered = false));
  }

  /** Says goodbye. Without Redis the record will find out by itself. */
  async end(): Promise<void> {
    if (this.#redis.status !== 'ready') return;
    const said = this.#redis.hdel(this.#keys.workers, this.#workerId).catch(() => undefined);
    await Promise.race([said, sleep(GOODBYE_MS, undefined, { ref: false })]);
  }
}

const GOODBYE_MS = 1_000;
