import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** A cost that is not a finite number is shown with its experiment. */
export const nonFinite: Migration = {
  name: '0009-non-finite',
  statements: [sql`alter table lives add column non_finite jsonb`],
};
