import { type ObjectStore, removeRun } from '@longrun/serialization';
import { CompiledQuery, type Transaction } from 'kysely';

import { leasePrefix, writeOutcome } from '../life/outcome.js';
import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';
import type { Tables } from '../record/tables.js';
import type { Warn } from '../redis/connection.js';
import { HOLDER } from './endings.js';
import { Troubles } from './troubles.js';

export interface RemovalsOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly store: ObjectStore;
  readonly warn: Warn;
}

/**
 * Removes what is left of experiments that were deleted: first their bytes in the object store, under a lease that nobody can take any more, then their
 * rows. In the background, as it may take long. What a crash interrupts is gone on with; nobody finds anything of it meanwhile.
 */
export class Removals {
  readonly #options: RemovalsOptions;
  readonly #stop = new AbortController();
  readonly #troubles = new Troubles();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(options: RemovalsOptions) {
    this.#options = options;
  }

  /** Begins with those that nobody is at. */
  async look(): Promise<void> {
    const left = await this.#options.record.db
      .selectFrom('lives')
      .select(['id', 'fence'])
      .where('removing', '=', true)
      .orderBy('id')
      .execute();
    for (const one of left) {
      if (this.#underWay.size >= AT_ONCE) return;
      if (this.#underWay.has(one.id)) continue;
      const work = this.#try(one).finally(() => this.#underWay.delete(one.id));
      this.#underWay.set(one.id, work);
    }
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('The controller stops'));
    await Promise.all(this.#underWay.values());
  }

  async #try(deleted: Deleted): Promise<void> {
    const what = `what is left of ${deleted.id}, which was deleted,`;
    try {
      await this.#remove(deleted);
      this.#troubles.over(what);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (this.#troubles.isNew(what, String(error)))
        this.#options.warn(`Removing ${what} failed: ${String(error)}; trying again`);
    }
  }

  async #remove({ id, fence }: Deleted): Promise<void> {
    const { store, writer } = this.#options;
    const outcome = writeOutcome('experiment', { reason: 'cancelled', message: 'It was deleted' }, 0);
    const { signal } = this.#stop;
    await removeRun(store, leasePrefix('experiment', id), { fence: fence + 1, holder: HOLDER, outcome, signal });
    for (const text of rowsTexts)
      for (let isOver = false; !isOver;) {
        signal.throwIfAborted();
        isOver = await writer.write(
          async ({ transaction }) => (await deleteRows(transaction, text, id)) < ROWS_AT_ONCE,
        );
      }
    await writer.write(async (lives) => (await lives.find(id))?.removed());
  }
}

interface Deleted {
  readonly id: string;
  readonly fence: number;
}

/** Answers how many there were. */
async function deleteRows(transaction: Transaction<Tables>, text: string, id: string): Promise<number> {
  const { numAffectedRows } = await transaction.executeQuery(CompiledQuery.raw(text, [id, ROWS_AT_ONCE]));
  return Number(numAffectedRows);
}

/** Removals at the same time: each is bound by the store. */
const AT_ONCE = 4;
/** Rows in one transaction, for which others wait in an embedded record; a chunk of a log has a row for each of its names besides. */
const ROWS_AT_ONCE = 500;

const rowsTexts = [
  ['log_chunks', 'chunk'],
  ['events', 'event'],
  ['checkpoints', 'step, fence'],
  ['hyperparameter_settings', 'number'],
  ['attempts', 'fence'],
].map(
  ([table, key]) =>
    `delete from ${table} where id = $1 and (id, ${key}) in (select id, ${key} from ${table} where id = $1 limit $2)`,
);
