import { setTimeout as pause } from 'node:timers/promises';

import { Kind } from '@longrun/contracts';
import { HeadDamaged, type ObjectStore, StateMismatch } from '@longrun/serialization';
import type { Redis } from 'ioredis';
import { sql } from 'kysely';

import type { LifeWriter } from '../life/writer.js';
import type { JobQueue } from '../queue/job-queue.js';
import type { PlatformRecord } from '../record/record.js';
import type { Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';
import type { Timings } from '../timings.js';
import { publishCommand } from '../worker/commands.js';
import type { Census } from './census.js';
import type { Endings } from './endings.js';
import type { EventIngester } from './event-ingester.js';
import type { Forks } from './forks.js';
import { pendingSettings } from '../record/hyperparameter-settings.js';
import type { LogCompletion } from './log-completion.js';
import type { RecordUpkeep } from './record-upkeep.js';
import type { Removals } from './removals.js';
import type { Retention } from './retention.js';
import { type Scheduler, writeSpecification } from './scheduler.js';
import { Troubles } from './troubles.js';
import { workersToAvoid } from './workers-to-avoid.js';
import type { WriteOff } from './write-off.js';

export interface ReconcilerOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly store: ObjectStore;
  readonly queues: Readonly<Record<Kind, JobQueue>>;
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly ingester: EventIngester;
  readonly endings: Endings;
  readonly scheduler: Scheduler;
  readonly census: Census;
  readonly writeOff: WriteOff;
  readonly logs: LogCompletion;
  readonly forks: Forks;
  readonly removals: Removals;
  readonly retention: Retention;
  readonly upkeep: RecordUpkeep;
  readonly timings: Timings;
  readonly warn: Warn;
}

/**
 * Compares the record with the queue, the object store and the signs of life, again and again, and puts right what
 * differs. Whatever is lost elsewhere, this is what brings it back.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #stop = new AbortController();
  /** Of lives that cannot be looked after. */
  readonly #troubles = new Troubles();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Waits for the look that is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    const { forks, removals, retention } = this.#options;
    await Promise.all([this.#running, forks.close(), removals.close(), retention.close()]);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#attempt('retries', () => this.#reopenRetried());
      await this.#attempt('forks', () => this.#options.forks.look());
      await this.#attempt('decided ends', () => this.#settleDecided());
      await this.#attempt('running attempts', () => this.#lookAfterRunning());
      await this.#attempt('jobs in the queue', () => this.#lookAfterEnqueued());
      await this.#attempt('logs', () => this.#completeLogs());
      await this.#attempt('deletions', () => this.#options.removals.look());
      this.#options.retention.look();
      await this.#attempt('the tables of the record', () => this.#options.upkeep.look());
      await this.#attempt('workers', () => this.#options.census.look());
      this.#options.scheduler.kick();
      await pause(this.#options.timings.reconcileEveryMs, undefined, { signal: this.#stop.signal }).catch(
        () => undefined,
      );
    }
  }

  /** One thing that cannot be looked after must not keep the others waiting. */
  async #attempt(what: string, look: () => Promise<void>): Promise<void> {
    if (this.#stop.signal.aborted) return;
    try {
      await look();
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#warn(what, error);
    }
  }

  /**
   * Looks after each, and after the others where one cannot be; gives up when several in a row cannot. One whose head is damaged is ended,
   * as nobody can go on with it.
   */
  async #each<T extends { readonly kind: Kind; readonly id: string }>(
    what: string,
    lives: readonly T[],
    look: (life: T) => Promise<void>,
  ): Promise<void> {
    let failuresInARow = 0;
    for (const life of lives) {
      const of = `${what} of ${life.id}`;
      try {
        await look(life);
        this.#troubles.over(of);
        failuresInARow = 0;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (error instanceof HeadDamaged) await this.#options.endings.endDamaged(life.kind, life.id, error);
        // A head of a newer build says nothing about the others.
        else if (!(error instanceof StateMismatch) && (failuresInARow += 1) === FAILURES_IN_A_ROW) throw error;
        else if (this.#troubles.isNew(of, String(error))) this.#warn(of, error);
      }
    }
  }

  #warn(what: string, error: unknown): void {
    this.#options.warn(`Looking after ${what} failed: ${String(error)}; trying again`);
  }

  /** Ends that were decided, but a crash came before their lease was sealed. */
  async #settleDecided(): Promise<void> {
    const decided = await this.#options.record.db
      .selectFrom('lives')
      .select(['id', 'kind'])
      .where('ending', 'is not', null)
      .execute();
    await this.#each('the decided end', decided, async ({ id }) => await this.#options.endings.settle(id));
  }

  /** Experiments that were retried, but a crash came before their lease was reopened. */
  async #reopenRetried(): Promise<void> {
    const { record, endings } = this.#options;
    const retried = await record.db
      .selectFrom('lives')
      .innerJoin('experiments', 'experiments.id', 'lives.id')
      .select(['lives.id', 'lives.kind'])
      .where('lives.reopening', '=', true)
      // The others are gone on with by what copies their checkpoints.
      .where('experiments.origin', 'is', null)
      .execute();
    await this.#each('the retry', retried, async ({ id }) => await endings.reopen(id));
  }

  async #completeLogs(): Promise<void> {
    const { logs } = this.#options;
    await this.#each('the log', await logs.doubtful(), async ({ id }) => await logs.complete(id));
  }

  async #lookAfterRunning(): Promise<void> {
    const { record, redis, keys, ingester, timings, writeOff } = this.#options;
    const why = (workerId: string): string => `Nothing was heard of ${workerId} for ${timings.workerLostAfterMs} ms`;
    const running = await record.db
      .selectFrom('lives')
      .select(['id', 'kind', 'fence', 'cancelRequested', 'pauseRequested', preemptRequested.as('preemptRequested')])
      .where('phase', '=', 'running')
      .where('ending', 'is', null)
      .execute();
    const pending = await pendingSettings(
      record.db,
      running.map(({ id }) => id),
    );
    await this.#each('the attempt', running, async ({ id, kind, fence, ...asked }) => {
      // Pub/sub forgets: it is said until it is obeyed.
      const type = commandFor(asked);
      if (type !== undefined && redis.status === 'ready') await publishCommand(redis, keys, { type, kind, id, fence });
      const settings = pending.get(id);
      if (settings !== undefined && redis.status === 'ready')
        await publishCommand(redis, keys, { type: 'set', kind: 'experiment', id, fence, settings });
      if (ingester.silenceMs(id, fence) <= timings.workerLostAfterMs) return;
      // This process may have slept while heartbeats piled up.
      if (!(await ingester.catchUp()) || ingester.silenceMs(id, fence) <= timings.workerLostAfterMs) return;
      await writeOff.attempt(kind, id, fence, why);
    });
  }

  async #lookAfterEnqueued(): Promise<void> {
    const { record, redis, queues } = this.#options;
    if (redis.status !== 'ready') return;
    // Before the record is asked, which knows of a job before it is put in.
    const waiting = await Promise.all(Kind.options.map(async (kind) => [kind, await queues[kind].waiting()] as const));
    const enqueued = await record.db
      .selectFrom('lives')
      .select(['id', 'kind', 'fence', 'queueRank', 'cancelRequested', 'pauseRequested'])
      .where('phase', '=', 'queued')
      .where('enqueued', '=', true)
      .where('ending', 'is', null)
      .execute();
    await this.#each('the job', enqueued, async ({ id, kind, fence, queueRank, cancelRequested, pauseRequested }) => {
      if (cancelRequested) await this.#cancel(kind, id, fence);
      else if (pauseRequested) await this.#pause(id, fence);
      else if (!(await queues[kind].has({ id, fence }))) await this.#bringBack(kind, id, fence, queueRank ?? 1);
    });
    for (const [kind, jobs] of waiting) {
      const ofKind = enqueued.filter((one) => one.kind === kind);
      // Those who could take it, and find that it is over, may be gone for good.
      await queues[kind].keepOnly(ofKind, jobs);
      if (ofKind.length > 0) await queues[kind].knock();
    }
  }

  async #cancel(kind: Kind, id: string, fence: number): Promise<void> {
    if (await this.#options.endings.cancelUnclaimed(kind, id, fence)) return;
    await this.#noteClaim(id, fence);
  }

  async #pause(id: string, fence: number): Promise<void> {
    if (await this.#options.endings.takeBack(id, fence)) return;
    await this.#noteClaim(id, fence);
  }

  /** The job is gone: taken and claimed without a word reaching us, or lost. */
  async #bringBack(kind: Kind, id: string, fence: number, rank: number): Promise<void> {
    const { endings, queues, record, store } = this.#options;
    const head = await endings.head(kind, id);
    if (await endings.adopt(kind, id, head)) return;
    if (head !== undefined && head.fence >= fence) {
      await this.#noteClaim(id, fence);
      return;
    }
    const { engine } = await writeSpecification(record, store, kind, id);
    const avoid = (await workersToAvoid(record.db, kind, [id])).get(id) ?? [];
    await queues[kind].add({ id, fence, engine, avoid }, rank);
  }

  /** From here on silence is measured. */
  async #noteClaim(id: string, fence: number): Promise<void> {
    await this.#options.writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life?.row.enqueued !== true || life.row.fence !== fence) return;
      this.#options.ingester.hear(id, fence);
      life.claimed(new Date());
    });
  }
}

/** Whether the attempt that is on is to give its machine back: looked up by its key, and no join, which may be planned as a look through all. */
const preemptRequested = sql<boolean>`(
  select attempts.preempt_requested from attempts where attempts.id = lives.id and attempts.fence = lives.fence)`;

/** What a worker is to be told of what is asked of its attempt. */
function commandFor(asked: {
  readonly cancelRequested: boolean;
  readonly pauseRequested: boolean;
  readonly preemptRequested: boolean;
}): 'cancel' | 'pause' | 'preempt' | undefined {
  if (asked.cancelRequested) return 'cancel';
  if (asked.pauseRequested) return 'pause';
  return asked.preemptRequested ? 'preempt' : undefined;
}

/** Then it is not the one life, but what all need. */
const FAILURES_IN_A_ROW = 3;
