import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';

import type { Database } from 'node-sqlite3-wasm';

import { withWriterLock, type WriterLockOptions } from './writer-lock.js';

/** Options of {@link SharedDatabase}. */
export interface SharedDatabaseOptions extends WriterLockOptions {
  /** What makes its tables where there are none: `create table if not exists …`. */
  readonly schema: string;
}

/**
 * A SQLite file that several processes write, each of which may be killed at any moment: it then opens, with all that was committed. `:memory:` is one of this object alone.
 *
 * It is open during a transaction only. SQLite is a build for WebAssembly, which knows no lock of the system: a process that is killed leaves its own one locked for ever, and a
 * journal that it does not find again. So who writes is told by a lock of ours, and the file has a write-ahead log, which holds what was committed, whenever a process ends.
 * Other programs read it with their own SQLite: while this writes, read-only (`file:…?mode=ro`).
 */
export class SharedDatabase {
  /** Absolute, or `:memory:`. */
  readonly path: string;
  readonly #options: SharedDatabaseOptions;
  readonly #inMemory: Database | undefined;

  constructor(path: string, options: SharedDatabaseOptions) {
    this.#options = options;
    const isFile = path !== ':memory:';
    this.path = isFile ? resolve(path) : path;
    if (isFile) return;
    this.#inMemory = new (sqlite().Database)();
    this.#inMemory.exec(options.schema);
  }

  /**
   * Does all that `action` does, or nothing of it where it throws or the process ends.
   *
   * @throws Error when the file is no database, or cannot be written; WriterLockHeld
   */
  transaction<T>(action: (database: Database) => T): T {
    if (this.#inMemory !== undefined) return inTransaction(this.#inMemory, action);
    return withWriterLock(
      this.path,
      () => {
        // Left by a process that was killed: the lock of ours says that none is at it.
        rmSync(`${this.path}.lock`, { recursive: true, force: true });
        if ((statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) === 0) this.#make();
        else this.#writeAhead();
        return this.#opened(this.path, (database) => inTransaction(database, action));
      },
      this.#options,
    );
  }

  /** It appears at once, with its tables, so that nobody finds half of one. */
  #make(): void {
    const draft = `${this.path}-draft`;
    for (const suffix of ['', '-wal', '-journal', '.lock']) rmSync(draft + suffix, { recursive: true, force: true });
    this.#opened(draft, (database) => {
      database.get('pragma journal_mode = wal');
      database.exec(this.#options.schema);
    });
    renameSync(draft, this.path);
    const folder = openSync(dirname(this.path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  /** Turns a file with rollback journals, as others make it, into one with a write-ahead log: two bytes of its header say which it is. */
  #writeAhead(): void {
    const file = openSync(this.path, 'r+');
    try {
      const header = Buffer.alloc(20);
      if (readSync(file, header, 0, 20, 0) < 20 || header.readUInt16BE(18) === WRITE_AHEAD) return;
      if (!header.toString('latin1').startsWith('SQLite format 3'))
        throw new Error(`${this.path} is no SQLite file; name another one`);
      if (existsSync(`${this.path}-journal`)) {
        throw new Error(
          `${this.path} was left in the midst of a transaction by another program; have it taken back: sqlite3 ${this.path} .tables`,
        );
      }
      header.writeUInt16BE(WRITE_AHEAD, 18);
      writeSync(file, header, 18, 2, 18);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  #opened<T>(path: string, action: (database: Database) => T): T {
    const database = new (sqlite().Database)(path);
    try {
      // Without it a write-ahead log needs memory that processes share, which this build has not.
      database.get('pragma locking_mode = exclusive');
      database.get('pragma temp_store = memory');
      if (path === this.path) database.exec(this.#options.schema);
      return action(database);
    } finally {
      database.close();
    }
  }
}

const WRITE_AHEAD = 0x0202;

function inTransaction<T>(database: Database, action: (database: Database) => T): T {
  database.exec('begin immediate');
  try {
    const result = action(database);
    database.exec('commit');
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('rollback');
    throw error;
  }
}

/** Few log to SQLite, and each trainer loads this module. */
function sqlite(): typeof import('node-sqlite3-wasm') {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `require` knows no types
  return createRequire(import.meta.url)('node-sqlite3-wasm') as typeof import('node-sqlite3-wasm');
}
