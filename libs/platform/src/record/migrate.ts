import { type Kysely, sql } from 'kysely';

import { migrations } from './migrations/index.js';
import type { Migration } from './migrations/migration.js';
import type { Tables } from './tables.js';

/**
 * Brings the schema up to date in one transaction, and returns the names of the migrations that it applied.
 * Throws when the database holds a migration that this build does not know: a newer version has been here.
 */
export async function migrate(db: Kysely<Tables>, wanted: readonly Migration[] = migrations): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    // Two processes that start at once take turns.
    await sql`select pg_advisory_xact_lock(${LOCK_NUMBER})`.execute(transaction);
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null)`.execute(
      transaction,
    );
    const rows = await sql<{ name: string }>`select name from migrations order by name`.execute(transaction);
    const applied = new Set(rows.rows.map((row) => row.name));
    const unknown = [...applied].filter((name) => !wanted.some((migration) => migration.name === name));
    if (unknown.length > 0) {
      throw new Error(
        `The record was migrated by a newer Longrun (${unknown.join(', ')}); start that version, or restore a backup from before`,
      );
    }
    const missing = wanted.filter((migration) => !applied.has(migration.name));
    for (const migration of missing) {
      for (const statement of migration.statements) await statement.execute(transaction);
      await sql`insert into migrations (name, applied_at) values (${migration.name}, now())`.execute(transaction);
    }
    return missing.map((migration) => migration.name);
  });
}

/** Any number, as long as nobody else in this database uses it: the first bytes of "longrun". */
const LOCK_NUMBER = 0x6c6f6e67;
