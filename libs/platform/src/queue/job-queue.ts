import type { JobTicket, Kind } from '@longrun/contracts';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

import { isConnectionError, type Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';

/** The record's side of one queue. What is in it is a copy: losing it loses nothing. */
export class JobQueue {
  readonly #redis: Redis;
  readonly #keys: RedisKeys;
  readonly #kind: Kind;
  readonly #queue: Queue<JobTicket>;

  constructor(redis: Redis, keys: RedisKeys, kind: Kind, warn: Warn) {
    this.#redis = redis;
    this.#keys = keys;
    this.#kind = kind;
    this.#queue = new Queue<JobTicket>(keys.queue(kind), { connection: redis, prefix: keys.queuePrefix });
    this.#queue.on('error', (error) => {
      if (!isConnectionError(error)) warn(`Queue ${keys.queue(kind)}: ${error.message}`);
    });
  }

  /** Puts a job in; once, however often it is called. A lower rank is taken first. */
  async add({ id, fence, engine, avoid = [] }: JobToAdd, rank: number): Promise<void> {
    const ticket: JobTicket = {
      id,
      fence,
      ...(engine !== undefined && { engine }),
      ...(avoid.length > 0 && { avoid: [...avoid] }),
    };
    await this.#queue.add(this.#kind, ticket, {
      jobId: this.#keys.job(id, fence),
      priority: rank,
      // A job that is kept would keep its id, and the same ticket could not be put in again.
      removeOnComplete: true,
      removeOnFail: true,
      // Trying again is the record's business.
      attempts: 1,
    });
  }

  /** True while the job waits or is being worked on. */
  async has(ticket: JobTicket): Promise<boolean> {
    return (await this.#queue.getJob(this.#keys.job(ticket.id, ticket.fence))) !== undefined;
  }

  /**
   * Wakes a worker that waits, if a job does. BullMQ wakes one for each job that is put in: one that died or stands still, or that
   * takes no jobs, may be woken in vain, and the others would find the job only when they look by themselves, seconds later.
   */
  async knock(): Promise<void> {
    const { prioritized, wait, marker } = this.#queue.keys;
    if (prioritized === undefined || wait === undefined || marker === undefined)
      throw new Error('BullMQ names its keys in another way');
    const waiting = (await this.#redis.zcard(prioritized)) + (await this.#redis.llen(wait));
    if (waiting > 0) await this.#redis.zadd(marker, 0, '0');
  }

  /** Gives a waiting job another rank; no effect on one that was taken meanwhile. */
  async rerank(ticket: JobTicket, rank: number): Promise<void> {
    const job = await this.#queue.getJob(this.#keys.job(ticket.id, ticket.fence));
    await job?.changePriority({ priority: rank });
  }

  /** Says which workers are to leave a job to others; no effect on one that was taken meanwhile. */
  async avoid({ id, fence }: JobTicket, workers: readonly string[]): Promise<void> {
    const job = await this.#queue.getJob(this.#keys.job(id, fence));
    if (job === undefined || JSON.stringify(job.data.avoid ?? []) === JSON.stringify(workers)) return;
    await job.updateData({ ...job.data, avoid: [...workers] });
  }

  /** BullMQ's ids of the jobs that wait. */
  async waiting(): Promise<string[]> {
    return await this.#queue.getRanges(['wait', 'prioritized', 'delayed'], 0, -1);
  }

  /** Takes those of some waiting jobs out that are not for these tickets; no effect on one that was taken meanwhile. */
  async keepOnly(tickets: readonly JobTicket[], waiting: readonly string[]): Promise<void> {
    const kept = new Set(tickets.map(({ id, fence }) => this.#keys.job(id, fence)));
    for (const jobId of waiting) if (!kept.has(jobId)) await this.#queue.remove(jobId);
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}

/** A job, what it asks of a worker's engines, and the workers that are to leave it to others. */
type JobToAdd = Pick<JobTicket, 'id' | 'fence'> & {
  readonly engine?: string | undefined;
  readonly avoid?: readonly string[];
};
