import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** A release ends the quarantine that it was said of, and no later one. */
export const quarantines: Migration = {
  name: '0018-quarantines',
  statements: [sql`alter table workers add column reported_quarantines integer not null default 0`],
};
