import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Experiments and datasets are deleted: their lives stay, and say when. */
export const deletions: Migration = {
  name: '0019-deletions',
  statements: [
    sql`alter table lives
      add column deleted_at timestamptz check (deleted_at is null or phase = 'ended'),
      add column removing boolean not null default false`,
    sql`create index lives_removing on lives (id) where removing`,
  ],
};
