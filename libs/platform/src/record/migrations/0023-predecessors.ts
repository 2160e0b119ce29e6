import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** A dataset takes the name of another one while it is found out whether it is a new one. */
export const predecessors: Migration = {
  name: '0023-predecessors',
  statements: [
    sql`alter table datasets
      add column predecessor text references datasets (id),
      add column forced boolean not null default false`,
    sql`create index datasets_predecessor on datasets (predecessor) where predecessor is not null`,
  ],
};
