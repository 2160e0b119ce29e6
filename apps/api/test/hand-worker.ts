import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  DatasetOutcome,
  DatasetResult,
  ExperimentOutcome,
  ExperimentResult,
  HyperparameterSetting,
  JobTicket,
  Kind,
  ReasonCode,
  WorkerEvent,
} from '@longrun/contracts';
import { type AttemptEnd, JobWorker, type Work, WorkerLink } from '@longrun/platform';
import { openObjectStore } from '@longrun/serialization';
import { expect } from 'vitest';

/** A job that a test has in its hands. */
export interface HeldJob {
  readonly ticket: JobTicket;
  send(event: WorkerEvent): void;
  /** Resolves when the worker is told to stop. */
  readonly stopRequested: Promise<void>;
  /** Resolves with what it was told to set, when that was said so often. */
  settings(times: number): Promise<readonly (readonly HyperparameterSetting[])[]>;
  /** Ends the attempt, with the result where it succeeded. */
  end(reason: ReasonCode, result?: ExperimentResult | DatasetResult): void;
}

/** A real worker, with its queue, lease, heartbeats and events, whose work is done by the test. */
export class HandWorker {
  readonly #worker: JobWorker;
  readonly #link: WorkerLink;
  readonly #scratchFolder: string;
  readonly #arrived: HeldJob[] = [];
  #onArrival: () => void = () => undefined;

  private constructor(parts: {
    kind: Kind;
    link: WorkerLink;
    scratchFolder: string;
    store: Awaited<ReturnType<typeof openObjectStore>>;
  }) {
    this.#link = parts.link;
    this.#scratchFolder = parts.scratchFolder;
    this.#worker = new JobWorker({
      kind: parts.kind,
      link: parts.link,
      store: parts.store,
      scratchFolder: parts.scratchFolder,
      heartbeatMs: 200,
      graceMs: 1000,
      report: () => undefined,
      work: (attempt) => {
        const work = new HandWork(parts.kind, attempt.stop);
        const told: (readonly HyperparameterSetting[])[] = [];
        attempt.onSettings((settings) => told.push(settings));
        this.#arrived.push({
          ticket: attempt.ticket,
          send: (event) => attempt.send(event),
          stopRequested: work.stopRequested,
          settings: async (times) => {
            await expect.poll(() => told.length).toBeGreaterThanOrEqual(times);
            return told.slice(0, times);
          },
          end: (reason, result) => work.end(reason, result),
        });
        this.#onArrival();
        return work;
      },
    });
  }

  /** Starts a worker of one kind for a service. */
  static async start(
    service: { readonly redis: { readonly url: string }; readonly objectsUrl: string },
    kind: Kind,
    workerId = `hand-${kind}`,
  ): Promise<HandWorker> {
    const scratchFolder = await mkdtemp(join(tmpdir(), 'longrun-hand-'));
    const link = new WorkerLink({
      redisUrl: service.redis.url,
      workerId,
      checkEveryMs: 20,
      warn: () => undefined,
    });
    const hand = new HandWorker({ kind, link, scratchFolder, store: await openObjectStore(service.objectsUrl) });
    await hand.#worker.start();
    return hand;
  }

  /** The next job that it claims. */
  async job(): Promise<HeldJob> {
    for (;;) {
      const job = this.#arrived.shift();
      if (job !== undefined) return job;
      await new Promise<void>((resolve) => {
        this.#onArrival = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    this.#link.close();
    await rm(this.#scratchFolder, { recursive: true, force: true });
  }
}

class HandWork implements Work {
  readonly stopRequested: Promise<void>;
  readonly #kind: Kind;
  readonly #ended: Promise<AttemptEnd>;
  #end: (end: AttemptEnd) => void = () => undefined;
  #result: ExperimentResult | DatasetResult | undefined;

  constructor(kind: Kind, stop: AbortSignal) {
    this.#kind = kind;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.stopRequested = new Promise((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
    // A test that forgot its job must not keep the worker from stopping.
    void this.stopRequested.then(() => setTimeout(() => this.end('preempted'), 500).unref());
  }

  end(reason: ReasonCode, result?: ExperimentResult | DatasetResult): void {
    this.#result = result;
    this.#end({ reason });
  }

  run(): Promise<AttemptEnd> {
    return this.#ended;
  }

  heartbeat(): WorkerEvent {
    return this.#kind === 'experiment' ? { type: 'heartbeat', step: 0 } : { type: 'dataset_heartbeat' };
  }

  outcome({ reason }: AttemptEnd): ExperimentOutcome | DatasetOutcome {
    const result = this.#result;
    if (this.#kind === 'dataset') return { reason, ...(result !== undefined && 'fileKey' in result && { result }) };
    return { reason, step: 2, ...(result !== undefined && 'lastRow' in result && { result }) };
  }

  endEvent({ reason }: AttemptEnd): WorkerEvent {
    const result = this.#result;
    if (this.#kind === 'dataset') {
      return {
        type: 'dataset_ended',
        reason,
        peakMemoryBytes: 1,
        ...(result !== undefined && 'fileKey' in result && { result }),
      };
    }
    return {
      type: 'attempt_ended',
      reason,
      step: 2,
      stepsRun: 2,
      peakMemoryBytes: 1,
      ...(result !== undefined && 'lastRow' in result && { result }),
    };
  }
}
