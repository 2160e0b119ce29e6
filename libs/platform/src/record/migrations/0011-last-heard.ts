import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** An attempt that is written off ran until it was last heard of. Those that were before keep the time that they were charged. */
export const lastHeard: Migration = {
  name: '0011-last-heard',
  statements: [
    sql`alter table attempts add column last_heard_at timestamptz`,
    sql`update attempts set last_heard_at = ended_at where not said_end`,
  ],
};
