import type { Kysely, SelectQueryBuilder, Selectable } from 'kysely';

import type { Tables } from './tables.js';

/** Workers that are alive or were seen in the last day: older ones are of no interest to anybody. */
export function recentWorkers(
  db: Kysely<Tables>,
): SelectQueryBuilder<Tables, 'workers', Selectable<Tables['workers']>> {
  const aDayAgo = new Date(Date.now() - 24 * 3_600_000);
  return db
    .selectFrom('workers')
    .selectAll()
    .where((where) => where.or([where('alive', '=', true), where('lastSeenAt', '>', aDayAgo)]));
}
