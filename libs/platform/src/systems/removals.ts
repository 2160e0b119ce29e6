import { type ObjectStore, removeRun } from '@longrun/serialization';
import { CompiledQuery, sql, type Transaction } from 'kysely';

import { datasetResult, leasePrefix, writeOutcome } from '../life/outcome.js';
import type { LifeWriter } from '../life/writer.js';
import type { PlatformRecord } from '../record/record.js';
import type { LifeRow, Tables } from '../record/tables.js';
import type { Warn } from '../redis/connection.js';
import { BackgroundWork } from './background-work.js';
import { HOLDER } from './endings.js';

export interface RemovalsOptions {
  readonly record: PlatformRecord;
  readonly writer: LifeWriter;
  readonly store: ObjectStore;
  readonly warn: Warn;
}

/**
 * Removes what is left of experiments and datasets that were deleted: first their bytes in the object store, under a lease that nobody can take any more, then their
 * rows. In the background, as it may take long. What a crash interrupts is gone on with; nobody finds anything of it meanwhile.
 */
export class Removals {
  readonly #options: RemovalsOptions;
  readonly #work: BackgroundWork<Deleted>;

  constructor(options: RemovalsOptions) {
    this.#options = options;
    this.#work = new BackgroundWork({
      work: async (deleted, signal) => await this.#remove(deleted, signal),
      what: ({ id }) => `Removing what is left of ${id}, which was deleted,`,
      warn: options.warn,
    });
  }

  /** Begins with those that nobody is at. */
  async look(): Promise<void> {
    const left = await this.#options.record.db
      .selectFrom('lives')
      .select(['id', 'kind', 'fence', 'result'])
      .where('removing', '=', true)
      .orderBy('id')
      .execute();
    this.#work.begin(left);
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    await this.#work.close();
  }

  async #remove(life: Deleted, signal: AbortSignal): Promise<void> {
    const { store, writer } = this.#options;
    const { kind, id, fence } = life;
    const outcome = writeOutcome(kind, { reason: 'cancelled', message: 'It was deleted' }, 0);
    await removeRun(store, leasePrefix(kind, id), { fence: fence + 1, holder: HOLDER, outcome, signal });
    if (kind === 'dataset') await this.#removeFiles(life, signal);
    for (const text of rowsTexts)
      for (let isOver = false; !isOver;) {
        signal.throwIfAborted();
        isOver = await writer.write(
          async ({ transaction }) => (await deleteRows(transaction, text, id)) < ROWS_AT_ONCE,
        );
      }
    await writer.write(async (lives) => (await lives.find(id))?.removed());
  }

  /** What it has published, and the file that it had from an earlier build, where no dataset that is there has the same. */
  async #removeFiles({ id, result }: Deleted, signal: AbortSignal): Promise<void> {
    const { store, record } = this.#options;
    const keys: string[] = [];
    for await (const { key } of store.list(`datasets/files/${id}/`)) keys.push(key);
    const shared = datasetResult(result)?.fileKey;
    if (shared !== undefined && !keys.includes(shared)) {
      const { rows } = await sql`select from lives where kind = 'dataset' and deleted_at is null
        and result ->> 'fileKey' = ${shared} limit 1`.execute(record.db);
      if (rows.length === 0) keys.push(shared);
    }
    if (keys.length > 0) await store.delete(keys, { signal });
  }
}

type Deleted = Pick<LifeRow, 'id' | 'kind' | 'fence' | 'result'>;

/** Answers how many there were. */
async function deleteRows(transaction: Transaction<Tables>, text: string, id: string): Promise<number> {
  const { numAffectedRows } = await transaction.executeQuery(CompiledQuery.raw(text, [id, ROWS_AT_ONCE]));
  return Number(numAffectedRows);
}

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
