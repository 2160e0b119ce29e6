import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** The first end for the disk of a worker is free, where another worker is there. */
export const refusals: Migration = {
  name: '0012-refusals',
  statements: [sql`alter table lives add column refusals integer not null default 0`],
};
