import { join } from 'node:path';

import type { ExperimentOutcome, ReasonCode, WorkerEvent } from '@longrun/contracts';

import {
  type AbandonCause,
  type Attempt,
  type AttemptEnd,
  JobWorker,
  type JobWorkerOptions,
  type StopCause,
  type Work,
  WorkerLink,
} from '../src/index.js';
import { until } from '../src/testing/index.js';
import type { World } from './world.js';

/** An experiment in the hands of a {@link ToldWorker}. */
export interface Told {
  readonly id: string;
  readonly end: (reason: ReasonCode) => void;
  /** Its work throws this. */
  readonly fail: (error: Error) => void;
  /** Resolves with the cause when it is asked to end in good order. */
  readonly mustStop: Promise<StopCause | undefined>;
  /** Resolves with the cause when it is to end at once. */
  readonly mustLeave: Promise<AbandonCause | undefined>;
}

type ToldOptions = Pick<JobWorkerOptions, 'keepTurnMs' | 'description' | 'check' | 'checkAgainAfterMs'> & {
  /** Default `told`. */
  readonly workerId?: string;
};

/** A real worker whose work is to wait until the test says how it ends. */
export class ToldWorker {
  /** Ids of all experiments that it worked on, in order. */
  readonly taken: string[] = [];
  readonly #reports: string[] = [];
  readonly #arrived: Told[] = [];
  readonly #link: WorkerLink;
  readonly #worker: JobWorker;

  private constructor(world: World, { workerId = 'told', ...options }: ToldOptions) {
    this.#link = new WorkerLink({
      redisUrl: world.redis.url,
      workerId,
      prefix: world.prefix,
      queue: { lockDurationMs: 2_000, lockRenewMs: 300, stalledCheckMs: 500, retryDelayMs: 50 },
      checkEveryMs: 20,
      warn: () => undefined,
    });
    this.#worker = new JobWorker({
      kind: 'experiment',
      link: this.#link,
      store: world.store,
      scratchFolder: join(world.folder, 'scratch', workerId),
      heartbeatMs: 50,
      graceMs: 1_000,
      work: (attempt) => new ToldWork(attempt, (told) => this.#take(told)),
      report: (sentence) => this.#reports.push(sentence),
      ...options,
    });
  }

  static async start(world: World, options: ToldOptions = {}): Promise<ToldWorker> {
    const made = new ToldWorker(world, options);
    await made.#worker.start();
    return made;
  }

  said(sentence: string): boolean {
    return this.#reports.includes(sentence);
  }

  async next(): Promise<Told> {
    await until(() => this.#arrived.length > 0);
    const told = this.#arrived.shift();
    if (told === undefined) throw new Error('Nothing arrived');
    return told;
  }

  /** Its process ends without a word: the system closes its connections. */
  vanish(): void {
    this.#link.close();
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    this.#link.close();
  }

  #take(told: Told): void {
    this.taken.push(told.id);
    this.#arrived.push(told);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

class ToldWork implements Work {
  readonly #ended: Promise<AttemptEnd>;
  readonly #workerId: string;

  constructor(attempt: Attempt, take: (told: Told) => void) {
    this.#workerId = attempt.workerId;
    this.#ended = new Promise((resolve, fail) =>
      take({
        id: attempt.ticket.id,
        end: (reason) => resolve({ reason }),
        fail,
        mustStop: aborted(attempt.stop).then(() => attempt.stopCause()),
        mustLeave: aborted(attempt.abandon).then(() => attempt.abandonCause()),
      }),
    );
    // The test may be faster than whoever runs it.
    this.#ended.catch(() => undefined);
  }

  async run(): Promise<AttemptEnd> {
    return await this.#ended;
  }

  heartbeat(): WorkerEvent {
    return { type: 'heartbeat', step: 0 };
  }

  outcome({ reason }: AttemptEnd): ExperimentOutcome {
    return { reason, step: 0 };
  }

  endEvent(end: AttemptEnd): WorkerEvent {
    return { type: 'attempt_ended', workerId: this.#workerId, ...end, step: 0, stepsRun: 0, peakMemoryBytes: 1 };
  }
}
