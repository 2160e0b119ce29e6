import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Losses in a row have a budget. What was submitted before there was one gets its default. */
export const losses: Migration = {
  name: '0008-losses',
  statements: [
    sql`alter table lives add column losses integer not null default 0`,
    sql`update lives set retry = retry || '{"maxLosses": 3}' where phase <> 'ended'`,
  ],
};
