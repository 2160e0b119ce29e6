import { RetryBudget, type WorkerEvent } from '@longrun/contracts';
import { sql, type Transaction } from 'kysely';

import type { Life } from '../src/life/life.js';
import { LifeWriter } from '../src/life/writer.js';
import { applyEvent } from '../src/life/worker-events.js';
import type { PlatformRecord } from '../src/record/record.js';
import type { Tables } from '../src/record/tables.js';
import { begin, newId } from '../src/life/begin.js';

/** An experiment whose record a test writes itself, without queue, workers and ingester. */
export class ExperimentByHand {
  readonly id = newId('experiment');
  readonly #writer: LifeWriter;

  private constructor(record: PlatformRecord) {
    this.#writer = new LifeWriter(record);
  }

  /** Submits it and issues its first fence. */
  static async start(record: PlatformRecord): Promise<ExperimentByHand> {
    const experiment = new ExperimentByHand(record);
    await experiment.#writer.write(async (lives) => {
      const retry = RetryBudget.parse({ maxLosses: null });
      await begin(lives, {
        id: experiment.id,
        kind: 'experiment',
        name: 'by hand',
        spec: {},
        priority: 0,
        retry,
        origin: null,
      });
    });
    await experiment.write(async (life, transaction) => {
      life.enqueue(1, new Date());
      // By it users find the experiment.
      await sql`insert into experiments (id, name, spec, program, place, owner, project, status)
        select id, 'by hand', '{}', 'mlp', place, owner, project, 'queued' from lives where id = ${experiment.id}`.execute(
        transaction,
      );
    });
    return experiment;
  }

  /** Changes it in one transaction. */
  async write<T>(work: (life: Life, transaction: Transaction<Tables>) => T | Promise<T>): Promise<T> {
    return this.#writer.write(async (lives) => {
      const life = (
        await lives.load(
          [this.id],
          Array.from({ length: 20 }, (_, fence) => fence),
        )
      ).get(this.id);
      if (life === undefined) throw new Error(`${this.id} is gone`);
      return work(life, lives.transaction);
    });
  }

  /** Applies events of an attempt in one transaction. */
  async take(fence: number, ...events: readonly WorkerEvent[]): Promise<void> {
    await this.write((life) => {
      for (const event of events) applyEvent(life, fence, event, new Date());
    });
  }

  /** The next attempt begins at a step; the one before was lost. */
  async goOnFrom(startStep: number, more: Partial<AttemptStarted> = {}): Promise<number> {
    return this.write((life) => {
      if (life.row.phase === 'running') life.writeOff({ reason: 'worker_lost' }, new Date());
      const fence = life.row.enqueued ? life.row.fence : life.enqueue(1, new Date());
      applyEvent(life, fence, { ...startedAt(startStep), ...more }, new Date());
      return fence;
    });
  }
}

/** What a worker says first. */
export function startedAt(startStep: number): AttemptStarted {
  return {
    type: 'attempt_started',
    workerId: 'gpu-1',
    startStep,
    engine: 'reference',
    environment: { threads: 2 },
    rejectedCheckpoints: [],
  };
}

type AttemptStarted = Extract<WorkerEvent, { type: 'attempt_started' }>;
