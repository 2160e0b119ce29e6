import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Which log rows may be missing in the record, and up to where they were completed from the checkpoints' log. */
export const logGap: Migration = {
  name: '0003-log-gap',
  statements: [
    sql`alter table lives add column log_gap_to bigint, add column log_complete_to bigint not null default -1`,
    sql`create index lives_log_gap on lives (id) where log_gap_to is not null`,
  ],
};
