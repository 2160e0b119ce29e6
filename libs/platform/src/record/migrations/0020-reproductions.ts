import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** Which experiment one is the same as, once more; and with which libraries an attempt ran. */
export const reproductions: Migration = {
  name: '0020-reproductions',
  statements: [
    sql`alter table experiments add column reproduces text`,
    sql`alter table attempts add column libraries jsonb`,
  ],
};
