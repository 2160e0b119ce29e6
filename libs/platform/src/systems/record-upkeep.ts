import { sql } from 'kysely';

import type { PlatformRecord } from '../record/record.js';

/**
 * What autovacuum does for a PostgreSQL, for the embedded record, which has none: rows that are no more give their place back, and queries are planned
 * by what there is. A table at a time, as nobody else gets at the record meanwhile, of about 100,000 rows a second.
 */
export class RecordUpkeep {
  readonly #record: PlatformRecord;
  readonly #everyMs: number;
  #nextAt: number;

  /** @param everyMs least time between two tables, in milliseconds, and before the first. Default: a minute */
  constructor(record: PlatformRecord, everyMs = 60_000) {
    this.#record = record;
    this.#everyMs = everyMs;
    this.#nextAt = performance.now() + everyMs;
  }

  /** Looks after the table that needs it most, where it is time and one does. */
  async look(): Promise<void> {
    if (!this.#record.isExclusive || performance.now() < this.#nextAt) return;
    const [table] = await this.#changedTables();
    if (table !== undefined) await sql`vacuum (analyze, truncate off) ${sql.table(table)}`.execute(this.#record.db);
    this.#nextAt = performance.now() + this.#everyMs;
  }

  /** Those of which so much has changed since it was looked after as autovacuum waits for on its defaults, the most changed first. */
  async #changedTables(): Promise<readonly string[]> {
    const { rows } = await sql<{ name: string }>`
      select s.relname as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid,
        greatest(c.reltuples, 0) as count
      where s.n_dead_tup > 50 + 0.2 * count or s.n_mod_since_analyze > 50 + 0.1 * count or s.n_ins_since_vacuum > 1000 + 0.2 * count
      order by s.n_dead_tup + s.n_ins_since_vacuum desc`.execute(this.#record.db);
    return rows.map(({ name }) => name);
  }
}
