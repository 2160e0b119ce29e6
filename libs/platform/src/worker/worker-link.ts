import type { Kind, WorkerCommand } from '@longrun/contracts';
import type { Redis } from 'ioredis';
import { v4 as uuid } from 'uuid';

import { type QueueSettings, queueSettings, type QueueSettingsInput } from '../queue/queue-settings.js';
import { type JobHandler, type JobTaker, takeJobs, type TakeJobsOptions } from '../queue/take-jobs.js';
import { connectRedis, disconnectRedis, type Warn, warnOnStderr } from '../redis/connection.js';
import { RedisKeys } from '../redis/keys.js';
import { checkRedis, type RedisVerdict } from '../redis/redis-check.js';
import { listenCommands } from './commands.js';
import { EventOutbox, type EventOutboxOptions } from './event-outbox.js';
import { Presence } from './presence.js';

export interface WorkerLinkOptions {
  /** `redis://host:port`. */
  readonly redisUrl: string;
  /** Names this worker in `CLIENT LIST` and in its events. */
  readonly workerId: string;
  /** Prefix of all names in Redis. Default `longrun`. */
  readonly prefix?: string;
  /** How BullMQ is used; for tests that cannot wait. */
  readonly queue?: QueueSettingsInput;
  /** Pause between two looks whether the record has taken the events sent, in milliseconds. Default 250. */
  readonly checkEveryMs?: number;
  /** How much of an attempt's events may be pending, and for how long; for tests that cannot wait. */
  readonly outbox?: Pick<EventOutboxOptions, 'window' | 'maxPendingBytes' | 'stillAfterMs'>;
  /** Told what went wrong. Default: a line on standard error. */
  readonly warn?: Warn;
}

/** A worker's side of Redis: jobs in, commands in, events out. It survives a Redis that goes away or loses its data. */
export class WorkerLink {
  readonly workerId: string;
  readonly #keys: RedisKeys;
  readonly #settings: QueueSettings;
  readonly #redisUrl: string;
  readonly #outbox: WorkerLinkOptions['outbox'];
  readonly #checkEveryMs: number;
  readonly #warn: Warn;
  readonly #redis: Redis;
  readonly #others: Redis[] = [];
  /** Another one for each process, also of one worker's name. */
  readonly #connection = uuid();

  constructor(options: WorkerLinkOptions) {
    this.workerId = options.workerId;
    this.#keys = new RedisKeys(options.prefix);
    this.#settings = queueSettings(options.queue);
    this.#redisUrl = options.redisUrl;
    this.#outbox = options.outbox;
    this.#checkEveryMs = options.checkEveryMs ?? 250;
    this.#warn = options.warn ?? warnOnStderr;
    this.#redis = this.#connect('events');
  }

  /** Waits until Redis is there, and tries whether it can be worked with. */
  async checkRedis(timeoutMs: number): Promise<RedisVerdict> {
    await this.#redis.ping();
    return await checkRedis(this.#redis, this.#keys, timeoutMs);
  }

  /** Takes jobs of one kind, `concurrency` at once (default 1), that its engines serve. Close what it returns before the link. */
  takeJobs(
    kind: Kind,
    handler: JobHandler,
    options: Partial<Pick<TakeJobsOptions, 'concurrency' | 'engines'>> = {},
  ): JobTaker {
    const redis = this.#connect('jobs');
    this.#others.push(redis);
    return takeJobs({
      redis,
      keys: this.#keys,
      kind,
      workerId: this.workerId,
      handler,
      concurrency: options.concurrency ?? 1,
      engines: options.engines,
      settings: this.#settings,
      warn: this.#warn,
    });
  }

  /** The outbox of one attempt. Make one for each claimed lease, and close it at the attempt's end. */
  openOutbox(kind: Kind, id: string, fence: number): EventOutbox {
    return new EventOutbox({
      ...this.#outbox,
      redis: this.#redis,
      keys: this.#keys,
      kind,
      id,
      fence,
      checkEveryMs: this.#checkEveryMs,
      warn: this.#warn,
    });
  }

  /** Where this worker says that it is there. */
  openPresence(): Presence {
    return new Presence(this.#redis, this.#keys, this.workerId, this.#connection);
  }

  /**
   * Calls `listener` for each command to any worker, and holds the connection by which the record sees that this process lives.
   * Resolves when it is subscribed.
   */
  async listenCommands(listener: (command: WorkerCommand) => void): Promise<void> {
    const redis = this.#connect('commands');
    this.#others.push(redis);
    await listenCommands(redis, this.#keys, listener, this.#warn);
    // ioredis subscribes again by itself when it reconnects.
    await redis.subscribe(this.#keys.connection(this.#connection)).catch((error: unknown) => {
      this.#warn(`Redis refuses the subscription that shows that this worker lives: ${String(error)}`);
    });
  }

  /** Closes all connections. */
  close(): void {
    for (const redis of [this.#redis, ...this.#others]) disconnectRedis(redis);
  }

  #connect(purpose: string): Redis {
    return connectRedis({
      redisUrl: this.#redisUrl,
      connectionName: `${this.workerId}:${purpose}`,
      warn: this.#warn,
    });
  }
}
