import { hasEngine, JobTicket, type Kind, type WorkerReport } from '@longrun/contracts';
import { DelayedError, type Job, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';

import { isConnectionError, type Warn } from '../redis/connection.js';
import type { RedisKeys } from '../redis/keys.js';
import type { QueueSettings } from './queue-settings.js';

/** What a job's handler is given besides its ticket. */
export interface JobContext {
  /**
   * Aborted when Redis no longer holds this worker's lock on the job: it was away for too long, or Redis lost its data.
   * The lock is a hint. Verify the lease, and go on if it is still held.
   */
  readonly lockLost: AbortSignal;
}

/**
 * Runs one job: claims the lease of `ticket.id` under `ticket.fence` and does the work. A ticket can come twice, to
 * two workers: the lease lets one of them in, the other returns at once. When it throws, the job is dropped from the
 * queue; the reconciler hands the same ticket out again while its lease is unclaimed.
 */
export type JobHandler = (ticket: JobTicket, context: JobContext) => Promise<void>;

/** Takes jobs off one queue until it is closed. */
export interface JobTaker {
  /** Resolves when it is connected and takes jobs. */
  readonly ready: Promise<void>;
  /** Takes no further job until {@link resume}; running handlers go on. A job that arrives meanwhile goes back. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Takes no further job; resolves when the running handlers have finished. A job that arrives meanwhile goes back. */
  close(): Promise<void>;
}

export interface TakeJobsOptions {
  readonly redis: Redis;
  readonly keys: RedisKeys;
  readonly kind: Kind;
  /** Jobs that are to avoid it are left to others. */
  readonly workerId: string;
  /** Providers by engine: jobs that ask for others are left to those who have them. Default: it may have any. */
  readonly engines?: WorkerReport['engines'];
  readonly handler: JobHandler;
  /** Jobs run at once. */
  readonly concurrency: number;
  readonly settings: QueueSettings;
  readonly warn: Warn;
}

/** Takes jobs of one kind off their queue, the most urgent first. */
export function takeJobs(options: TakeJobsOptions): JobTaker {
  const { keys, settings, warn } = options;
  const running = new Map<string, AbortController>();
  let isTaking = true;
  /** Since when it has left every job to others that it came upon. */
  let leavingSince: number | undefined;

  const worker = new Worker<unknown>(
    keys.queue(options.kind),
    async (job, token) => {
      // BullMQ runs what it had fetched when it was told to pause or close.
      if (!isTaking) return giveBack(job, token);
      const ticket = JobTicket.parse(job.data);
      if (!isFor(ticket, options)) {
        leavingSince ??= performance.now();
        return leaveToOthers(job, token, performance.now() - leavingSince);
      }
      leavingSince = undefined;
      const jobId = keys.job(ticket.id, ticket.fence);
      const lock = new AbortController();
      running.set(jobId, lock);
      try {
        await options.handler(ticket, { lockLost: lock.signal });
      } finally {
        running.delete(jobId);
      }
      return undefined;
    },
    {
      connection: options.redis,
      prefix: keys.queuePrefix,
      concurrency: options.concurrency,
      lockDuration: settings.lockDurationMs,
      lockRenewTime: settings.lockRenewMs,
      stalledInterval: settings.stalledCheckMs,
      maxStalledCount: settings.maxStalledCount,
      runRetryDelay: settings.retryDelayMs,
    },
  );
  worker.on('drained', () => {
    leavingSince = undefined;
  });
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const jobId of jobIds) running.get(jobId)?.abort(new Error(`The queue's lock on job ${jobId} is lost`));
  });
  worker.on('failed', (job, error) => {
    warn(`Job ${job?.id ?? 'unknown'} was dropped: ${error.message}; it is handed out again while nobody claims it`);
  });
  worker.on('error', (error) => {
    if (!isConnectionError(error)) warn(`Queue ${keys.queue(options.kind)}: ${error.message}`);
  });

  return {
    ready: worker.waitUntilReady().then(() => undefined),
    async pause() {
      isTaking = false;
      // True: it does not wait for the running handlers.
      await worker.pause(true);
    },
    async resume() {
      isTaking = true;
      await worker.resume();
    },
    async close() {
      isTaking = false;
      await worker.close();
    },
  };
}

function isFor({ avoid = [], engine }: JobTicket, { workerId, engines }: TakeJobsOptions): boolean {
  return !avoid.includes(workerId) && hasEngine(engines, engine);
}

async function giveBack(job: Job<unknown>, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

/**
 * It comes again after a pause, so that this worker, if nobody else is free, does not turn in circles with it; nor with many, of which
 * the first would come again before it has come to the last.
 *
 * @param leavingMs For how long it has left one after the other
 */
async function leaveToOthers(job: Job<unknown>, token: string | undefined, leavingMs: number): Promise<never> {
  const pauseMs = Math.min(LEFT_FOR_MS + 2 * leavingMs, LEFT_FOR_MOST_MS);
  await job.moveToDelayed(Date.now() + Math.ceil(pauseMs), token);
  throw new DelayedError();
}

const LEFT_FOR_MS = 250;
/** Redis, or this process, may have stood still meanwhile: then the others are not to wait as long again. */
const LEFT_FOR_MOST_MS = 10_000;
