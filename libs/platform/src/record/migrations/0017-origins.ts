import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Experiments go on from checkpoints of others. */
export const origins: Migration = {
  name: '0017-origins',
  statements: [
    sql`alter table experiments add column origin jsonb`,
    sql`create index experiments_origin on experiments ((origin ->> 'experiment')) where origin is not null`,
  ],
};
