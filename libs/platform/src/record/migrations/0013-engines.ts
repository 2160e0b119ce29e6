import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** What workers can compute with. Null of one that does not say it. */
export const engines: Migration = {
  name: '0013-engines',
  statements: [sql`alter table workers add column engines jsonb`],
};
