import { join } from 'node:path';

import { CamelCasePlugin, Kysely, PostgresDialect, type PostgresPool, type Transaction } from 'kysely';
import { Pool, types } from 'pg';

import { FolderLock } from '../processes/folder-lock.js';
import { type Warn, warnOnStderr } from '../redis/connection.js';
import { migrate } from './migrate.js';
import { listenToPglite, Notices, PostgresListener } from './notices.js';
import { openPglite } from './open-pglite.js';
import { makePgliteFolder, takeFromOthers } from './pglite-folder.js';
import { PglitePool } from './pglite-pool.js';
import type { Tables } from './tables.js';

/** Where the record is: a folder for the embedded PGlite, or the address of a PostgreSQL 14 or newer. */
export type RecordLocation = { readonly folder: string } | { readonly databaseUrl: string };

/** The system of record: what is in it happened, what is not did not. */
export class PlatformRecord {
  /** For reading. Writing goes through {@link transact}. */
  readonly db: Kysely<Tables>;
  /** What committed transactions say to all who have this record open. */
  readonly notices: Notices;
  readonly #close: () => Promise<void>;

  /** No other process can have opened it: its folder is locked. */
  readonly isExclusive: boolean;

  /** @internal */
  constructor(db: Kysely<Tables>, notices: Notices, close: () => Promise<void>, isExclusive: boolean) {
    this.db = db;
    this.notices = notices;
    this.#close = close;
    this.isExclusive = isExclusive;
  }

  /**
   * Runs `work` in one transaction, and again when the database says that it collided with another one. `work` must
   * have no effects besides its transaction, and must not use {@link db}.
   */
  async transact<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.db.transaction().execute(work);
      } catch (error) {
        if (attempt >= 5 || !isCollision(error)) throw error;
      }
    }
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/**
 * Opens the record and brings its schema up to date. Throws a sentence when the folder belongs to another process, or
 * a newer version has migrated it.
 */
export async function openRecord(
  location: RecordLocation,
  { warn = warnOnStderr, onStage = () => undefined }: OpenRecordOptions = {},
): Promise<PlatformRecord> {
  return 'folder' in location
    ? openEmbedded(location.folder, onStage)
    : openPostgres(location.databaseUrl, { warn, onStage });
}

/** Whom the opening of a record tells what. */
export interface OpenRecordOptions {
  /** Told what went wrong and is being tried again. Default: a line on standard error. */
  readonly warn?: Warn | undefined;
  /** Told what is done now. */
  readonly onStage?: ((stage: string) => void) | undefined;
}

async function openEmbedded(folder: string, onStage: (stage: string) => void): Promise<PlatformRecord> {
  onStage('locking the record');
  const lock = await FolderLock.take(folder);
  try {
    const data = join(folder, 'pgdata');
    onStage('making the record, if there is none');
    await makePgliteFolder(data);
    onStage('opening the record');
    const pglite = await openPglite(data);
    const notices = new Notices();
    await listenToPglite(pglite, notices);
    onStage('migrating the record');
    const record = await openWith(new PglitePool(pglite), notices, () => lock.release(), true);
    takeFromOthers(data);
    return record;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openPostgres(
  databaseUrl: string,
  { warn, onStage }: { readonly warn: Warn; readonly onStage: (stage: string) => void },
): Promise<PlatformRecord> {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: 10,
    types: { getTypeParser },
    // A process that froze within a transaction holds locks that others wait for.
    idle_in_transaction_session_timeout: 3_000,
  });
  // The pool hears only those that rest; one that is lost between two queries of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', (error) => warn(`PostgreSQL: ${error.message}; it is replaced`)));
  pool.on('error', () => undefined);
  const notices = new Notices();
  const listener = new PostgresListener(databaseUrl, notices, warn);
  onStage('migrating the record');
  const record = await openWith(pool, notices, () => listener.close(), false);
  await listener.start();
  return record;
}

async function openWith(
  pool: PostgresPool,
  notices: Notices,
  afterwards: () => Promise<void>,
  isExclusive: boolean,
): Promise<PlatformRecord> {
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    // Only column names: what is inside a JSON column is not ours to rename.
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  const close = async (): Promise<void> => {
    await db.destroy();
    await afterwards();
  };
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return new PlatformRecord(db, notices, close, isExclusive);
}

/** bigint as a number, as PGlite does it: none of ours comes near 2^53. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === BIGINT_OID) return Number;
  const parse: (value: string) => unknown =
    format === 'binary' ? types.getTypeParser(oid, format) : types.getTypeParser(oid);
  return parse;
}

const BIGINT_OID = 20;

/** Serialization failure, deadlock. */
function isCollision(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40001' || error.code === '40P01');
}
