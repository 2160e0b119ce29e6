import type { StoredLogRow } from '@longrun/contracts';
import { type LogEntry, type Manifest, newestManifest, type ObjectStore, readLog } from '@longrun/serialization';

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
 * Brings log rows into the record that did not come as events: each checkpoint has the log of the run up to it. What is there
 * already is not added again, so that it may be done at any time, by any process, and be interrupted.
 */
export class LogCompletion {
  readonly #options: LogCompletionOptions;

  constructor(options: LogCompletionOptions) {
    this.#options = options;
  }

  /** Completes the logs of running experiments in which rows may be missing, once their present attempts have begun. */
  async look(): Promise<void> {
    const { record } = this.#options;
    const doubtful = await record.db
      .selectFrom('lives')
      .innerJoin('attempts', (join) =>
        join.onRef('attempts.id', '=', 'lives.id').onRef('attempts.fence', '=', 'lives.fence'),
      )
      .select('lives.id')
      .where('lives.logGapTo', 'is not', null)
      .where('lives.phase', '=', 'running')
      .where('lives.ending', 'is', null)
      .where('attempts.startStep', 'is not', null)
      .execute();
    for (const { id } of doubtful) await this.complete(id);
  }

  /**
   * Adds what the newest checkpoint's log has and the record has not.
   *
   * @param atEnd the experiment is about to end: nothing more comes, and what no checkpoint has is given up
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
    const manifest = await newestManifest(store, leasePrefix('experiment', id));
    if (manifest !== undefined && lastStepOf(manifest) > life.logCompleteTo) {
      await this.#add(id, manifest, life.logCompleteTo);
    }
    if (atEnd) await this.#options.writer.write(async (lives) => (await lives.find(id))?.logGivenUp());
  }

  async #add(id: string, manifest: Manifest, afterStep: number): Promise<void> {
    const { store, writer } = this.#options;
    const at = new Date(manifest.createdAt);
    const losses: string[] = [];
    for await (const { entries, reason } of readParts(store, manifest, afterStep)) {
      if (reason !== undefined) losses.push(reason);
      await writer.write(async (lives) => {
        const life = await lives.find(id);
        if (life !== undefined) await insertRows(lives.transaction, life, manifest.fence, entries, at);
      });
    }
    await writer.write(async (lives) => {
      const life = await lives.find(id);
      if (life === undefined) return;
      for (const loss of losses)
        life.printed(manifest.fence, { stream: 'stderr', text: `[longrun] ${loss}` }, new Date());
      life.logCompleted(manifest.fence, lastStepOf(manifest));
    });
  }
}

async function* readParts(
  store: ObjectStore,
  manifest: Manifest,
  afterStep: number,
): AsyncGenerator<{ readonly entries: readonly StoredLogRow[]; readonly reason?: string }> {
  for await (const part of readLog(store, manifest, { afterStep })) {
    if (part.lost === undefined) yield { entries: part.entries.map(stored) };
    else yield { entries: [], reason: part.reason };
  }
}

function stored({ step, row }: LogEntry): StoredLogRow {
  return { step, row };
}

/** A checkpoint's log has the rows of all steps before its own, and that of a finished run those of its own as well. */
function lastStepOf({ step, log }: Manifest): number {
  return Math.max(step - 1, log.at(-1)?.lastStep ?? -1);
}
