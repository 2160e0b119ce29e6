import type { Kind, StoredLogRow } from '@longrun/contracts';
import {
  FORK_FENCE,
  HeadDamaged,
  type LogEntry,
  type Manifest,
  newestLog,
  newestManifest,
  type ObjectStore,
  readLog,
  type RunLog,
} from '@longrun/serialization';

import { leasePrefix } from '../life/outcome.js';
import { insertRows } from '../life/series.js';
import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';

export interface LogCompletionOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly store: ObjectStore;
}

/**
 * Brings log rows into the record that did not come as events: each checkpoint has the log of the run up to it, and an attempt that
 * ended has left the rows after its last one. What is there already is not added again, so that it may be done at any time, by any
 * process, and be interrupted.
 */
export class LogCompletion {
  readonly #options: LogCompletionOptions;

  constructor(options: LogCompletionOptions) {
    this.#options = options;
  }

  /** Running experiments in whose logs rows may be missing, and whose present attempts have begun: they can be completed. */
  async doubtful(): Promise<{ readonly id: string; readonly kind: Kind }[]> {
    return this.#options.record.db
      .selectFrom('lives')
      .innerJoin('attempts', (join) =>
        join.onRef('attempts.id', '=', 'lives.id').onRef('attempts.fence', '=', 'lives.fence'),
      )
      .select(['lives.id', 'lives.kind'])
      .where('lives.logGapTo', 'is not', null)
      .where('lives.phase', '=', 'running')
      .where('lives.ending', 'is', null)
      .where('attempts.startStep', 'is not', null)
      .execute();
  }

  /**
   * Adds what the newest checkpoint's log has and the record has not.
   *
   * @param atEnd the experiment is about to end, its lease has the outcome: what its last attempt left is added as well, and what is
   * nowhere then is given up
   */
  async complete(id: string, atEnd = false): Promise<void> {
    const { record, store } = this.#options;
    const life = await record.db
      .selectFrom('lives')
      .innerJoin('attempts', (join) =>
        join.onRef('attempts.id', '=', 'lives.id').onRef('attempts.fence', '=', 'lives.fence'),
      )
      .select(['lives.logGapTo', 'lives.logCompleteTo', 'attempts.saidEnd'])
      .where('lives.id', '=', id)
      .where('lives.kind', '=', 'experiment')
      .where('lives.phase', '!=', 'ended')
      .executeTakeFirst();
    // Events come in order: who has heard an attempt's last word has heard all before it.
    if (life === undefined || (life.logGapTo === null && (!atEnd || life.saidEnd))) return;
    const prefix = leasePrefix('experiment', id);
    const log = atEnd ? await lastLog(store, prefix) : await newestManifest(store, prefix);
    if (log !== undefined) {
      const range = { afterStep: life.logCompleteTo, toStep: await this.#resumedAt(id, log.fence), mend: atEnd };
      if (lastStepOf(log) > range.afterStep) await this.#add(id, log, range);
    }
    if (atEnd) await this.#options.writer.write(async (lives) => (await lives.find(id))?.logGivenUp());
  }

  /** Adds the rows of the checkpoint from which an experiment begins, before its first attempt. */
  async begin(id: string): Promise<void> {
    const manifest = await newestManifest(this.#options.store, leasePrefix('experiment', id));
    if (manifest === undefined || manifest.fence !== FORK_FENCE) return;
    await this.#add(id, manifest, { afterStep: -1, toStep: manifest.step - 1, mend: false });
  }

  /** Where the first attempt after that of `fence` began: rows of later steps are superseded. */
  async #resumedAt(id: string, fence: number): Promise<number> {
    const { earliest } = await this.#options.record.db
      .selectFrom('attempts')
      .select(({ fn }) => fn.min('startStep').as('earliest'))
      .where('id', '=', id)
      .where('fence', '>', fence)
      .executeTakeFirstOrThrow();
    return earliest ?? Infinity;
  }

  async #add(id: string, log: RunLog | Manifest, range: LogRange): Promise<void> {
    const { store, writer } = this.#options;
    const at = new Date(log.createdAt);
    const losses: string[] = [];
    for await (const { entries, reason } of readParts(store, log, range)) {
      if (reason !== undefined) losses.push(reason);
      await writer.write(async (lives) => {
        const life = await lives.find(id);
        if (life !== undefined) await insertRows(lives.transaction, life, log.fence, entries, at);
      });
    }
    await writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life === undefined) return;
      for (const loss of losses) life.printed(log.fence, { stream: 'stderr', text: `[longrun] ${loss}` }, new Date());
      life.logCompleted(log.fence, Math.min(lastStepOf(log), range.toStep));
    });
  }
}

/** None where the head that names it is damaged. */
async function lastLog(store: ObjectStore, prefix: string): ReturnType<typeof newestLog> {
  try {
    return await newestLog(store, prefix);
  } catch (error) {
    if (error instanceof HeadDamaged) return undefined;
    throw error;
  }
}

interface LogRange {
  readonly afterStep: number;
  readonly toStep: number;
  /** Nobody holds the lease any more: copies that are damaged are written again. */
  readonly mend: boolean;
}

async function* readParts(
  store: ObjectStore,
  log: RunLog,
  { afterStep, toStep, mend }: LogRange,
): AsyncGenerator<{ readonly entries: readonly StoredLogRow[]; readonly reason?: string }> {
  for await (const part of readLog(store, log, { afterStep, mend })) {
    if (part.lost === undefined) yield { entries: part.entries.filter(({ step }) => step <= toStep).map(stored) };
    else yield { entries: [], reason: part.reason };
  }
}

function stored({ step, row }: LogEntry): StoredLogRow {
  return { step, row };
}

/** A checkpoint's log has the rows of all steps before its own, and that of a run that has ended those of its own as well. */
function lastStepOf(log: RunLog | Manifest): number {
  return Math.max('step' in log ? log.step - 1 : -1, log.log.at(-1)?.lastStep ?? -1);
}
