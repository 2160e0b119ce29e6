import { askedEngine, type Resources } from '@longrun/contracts';
import { type Kysely, sql } from 'kysely';

import type { Tables } from './tables.js';

/** What experiments ask of the engines of a worker, by id, as `askedEngine` says it; those that ask for nothing are left out. */
export async function askedEngines(db: Kysely<Tables>, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('experiments')
    .select(['id', sql<Resources | null>`spec -> 'resources'`.as('resources')])
    .where('id', 'in', ids)
    .execute();
  return new Map(
    rows.flatMap(({ id, resources }) => {
      const asked = resources === null ? undefined : askedEngine(resources);
      return asked === undefined ? [] : [[id, asked] as const];
    }),
  );
}
