import { sql } from 'kysely';

import type { Migration } from './migration.js';

/** What lists of experiments are filtered by, in an index: counting those of each status reads a sixth of the pages that the rows take, which have their specs. */
export const facets: Migration = {
  name: '0024-facets',
  statements: [
    sql`create index experiments_facets on experiments (status) include (id, place, program, owner, project, name)`,
  ],
};
