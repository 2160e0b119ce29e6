import { StateMismatch, type VersionedState } from '@longrun/serialization';
import type { Database } from 'node-sqlite3-wasm';

import type { LogRow, LogValue } from './log-value.js';
import { SharedDatabase } from './shared-database.js';
import { fromCell, toCell, type SQLiteCell } from './sqlite-value.js';
import { TrainingLogBase } from './training-log-base.js';

/** Options of {@link SQLiteLog}. */
export interface SQLiteLogOptions {
  /** The file, which is made, or `:memory:`. Many logs share one. */
  readonly database: string;
  /** A list whose JSON has more bytes is warned of, once. Default 4096. */
  readonly maxBlobSize?: number;
  /** How long rows wait to be written, all at once, in milliseconds. Default 1000. */
  readonly flushEveryMs?: number;
}

/**
 * A log in a SQLite file, with the tables of the original: `entries (uuid, time, key, value)` and `status (uuid, key, value)` (Blocks: `SQLiteLog`). The names of
 * the status are the original's, `iterations_done`; for values see `toCell`.
 *
 * What a checkpoint knows is in the file when the checkpoint is taken. Training that goes on from it goes on in the same log, without what was
 * written after it: so an entry is there once, and none is missing. A process that is killed leaves the file whole.
 */
export class SQLiteLog extends TrainingLogBase {
  readonly #database: SharedDatabase;
  readonly #maxBlobSize: number;
  readonly #flushEveryMs: number;
  /** Rows that were handed out to be written since they were stored. */
  readonly #touched = new Set<number>();
  #newestStored = -1;
  #flushedAt = performance.now();
  /** Of the state that was restored and is not yet compared with the file: how many entries there are to be. */
  #restored: { readonly entries: number | null } | null = null;
  #hasWarned = false;

  constructor({ database, maxBlobSize = 4096, flushEveryMs = 1000 }: SQLiteLogOptions) {
    super(ROWS_KEPT);
    this.#database = new SharedDatabase(database, { schema: SCHEMA });
    this.#maxBlobSize = maxBlobSize;
    this.#flushEveryMs = flushEveryMs;
  }

  /** Absolute, or `:memory:`. */
  get database(): string {
    return this.#database.path;
  }

  override row(time: number): LogRow {
    const row = super.row(time);
    this.#touched.add(time);
    if (this.#touched.size > ROWS_KEPT / 2) this.flush();
    return row;
  }

  override complete(time: number): void {
    super.complete(time);
    if (performance.now() - this.#flushedAt >= this.#flushEveryMs) this.flush();
  }

  override flush(): void {
    this.#store(() => {});
  }

  override resume(): void {
    super.resume();
    this.#restored = null;
    this.#touched.clear();
    this.#touched.add(this.status.iterationsDone);
  }

  override state(): VersionedState {
    const entries = this.#store((database) => countEntries(database, this.uuid));
    return { ...super.state(), entries };
  }

  override restore(state: VersionedState): void {
    super.restore(state);
    const { entries } = state;
    this.#restored = { entries: typeof entries === 'number' ? entries : null };
    this.#newestStored = this.status.iterationsDone;
    this.#touched.clear();
    for (const time of this.rows.keys()) this.#touched.add(time);
  }

  protected override recall(time: number): LogRow | undefined {
    if (time > this.#newestStored) return undefined;
    const parameters = [this.uuid, time];
    const cells = this.#database.transaction((database) => database.all(ROW, parameters));
    if (cells.length === 0) return undefined;
    return Object.fromEntries(
      cells.flatMap(({ key, value }) => (typeof key === 'string' ? [[key, fromCell(cellOf(value))]] : [])),
    );
  }

  /** Writes what is not yet written, and does `also` in the same transaction. */
  #store<T>(also: (database: Database) => T): T {
    const rows = [...this.#touched].flatMap((time) => {
      const row = this.rows.get(time);
      return row === undefined ? [] : [[time, row] as const];
    });
    const result = this.#database.transaction((database) => {
      if (this.#restored !== null) this.#takeBack(database, this.#restored.entries);
      this.#write(database, rows);
      return also(database);
    });
    this.#restored = null;
    this.#newestStored = Math.max(this.#newestStored, ...this.#touched);
    this.#touched.clear();
    // Extensions may have it in hand.
    this.#touched.add(this.status.iterationsDone);
    this.#flushedAt = performance.now();
    return result;
  }

  /** Removes what was written after the state that was restored. @throws StateMismatch where the file has not all that was written before */
  #takeBack(database: Database, entries: number | null): void {
    database.run('delete from entries where uuid = ? and time > ?', [this.uuid, this.status.iterationsDone]);
    const found = countEntries(database, this.uuid);
    // What was added to the last row since is taken away as it is written.
    if (entries === null || found >= entries) return;
    throw new StateMismatch(
      `SQLiteLog: ${this.database} has ${found} of the ${entries} entries of the log ${this.uuid} up to step ${this.status.iterationsDone}; ` +
        'copy the file to here from where they were written, or go on with a log in memory',
    );
  }

  #write(database: Database, rows: Iterable<readonly [number, LogRow]>): void {
    const clear = database.prepare('delete from entries where uuid = ? and time = ?');
    const insert = database.prepare('insert into entries values (?, ?, ?, ?)');
    for (const [time, row] of rows) {
      clear.run([this.uuid, time]);
      for (const [key, value] of Object.entries(row)) insert.run([this.uuid, time, key, this.#cell(key, value)]);
    }
    clear.finalize();
    insert.finalize();
    database.run('delete from status where uuid = ?', [this.uuid]);
    for (const [key, value] of Object.entries(this.status))
      database.run('insert into status values (?, ?, ?)', [this.uuid, STATUS_NAMES.get(key) ?? key, toCell(value)]);
  }

  #cell(record: string, value: LogValue): SQLiteCell {
    const cell = toCell(value);
    if (!this.#hasWarned && cell instanceof Uint8Array && cell.length > this.#maxBlobSize) {
      this.#hasWarned = true;
      process.emitWarning(
        `${record} has ${cell.length} bytes, more than max_blob_size, ${this.#maxBlobSize}: ${this.database} will be large; ` +
          'log less of it, or raise max_blob_size in ~/.blocksrc (said once)',
        'SQLiteLogWarning',
      );
    }
    return cell;
  }
}

/** How many rows stay in memory. */
const ROWS_KEPT = 2000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (uuid TEXT NOT NULL, time INT NOT NULL, "key" TEXT NOT NULL, value, PRIMARY KEY (uuid, time, "key"));
  CREATE TABLE IF NOT EXISTS status (uuid TEXT NOT NULL, "key" TEXT NOT NULL, value, PRIMARY KEY (uuid, "key"));
`;

/** A row of a log, or of the nearest one that it goes on from, up to where it does. */
const ROW = `
  with recursive ancestors (uuid, until, distance) as (
    values (?1, 9e15, 0)
    union all
    select parent.value, min(until, at.value), distance + 1 from ancestors
      join status parent on parent.uuid = ancestors.uuid and parent."key" = 'resumed_from' and parent.value is not null
      join status at on at.uuid = ancestors.uuid and at."key" = 'resumed_at'
  )
  select "key", value from entries join ancestors using (uuid)
  where time = ?2 and time <= until
    and distance = (select min(distance) from entries join ancestors using (uuid) where time = ?2 and time <= until)
  order by entries.rowid
`;

/** What the original calls the entries of the status. */
const STATUS_NAMES: ReadonlyMap<string, string> = new Map([
  ['iterationsDone', 'iterations_done'],
  ['epochsDone', 'epochs_done'],
  ['epochEnds', '_epoch_ends'],
  ['trainingStarted', 'training_started'],
  ['trainingFinished', 'training_finished'],
  ['epochStarted', 'epoch_started'],
  ['receivedFirstBatch', 'received_first_batch'],
  ['epochInterruptReceived', 'epoch_interrupt_received'],
  ['batchInterruptReceived', 'batch_interrupt_received'],
  ['resumedFrom', 'resumed_from'],
  ['resumedAt', 'resumed_at'],
]);

function countEntries(database: Database, uuid: string): number {
  return Number(database.get('select count(*) as entries from entries where uuid = ?', [uuid])?.['entries']);
}

/** Rows that are not asked to be expanded have plain values. */
function cellOf(value: unknown): SQLiteCell {
  return typeof value === 'number' ||
    typeof value === 'string' ||
    typeof value === 'bigint' ||
    value instanceof Uint8Array
    ? value
    : null;
}
