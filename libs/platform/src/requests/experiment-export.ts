import {
  type ExperimentExport,
  type ExperimentOrigin,
  type ExperimentSort,
  type ExperimentSpec,
  ExportQuery,
  type Metric,
} from '@longrun/contracts';
import { type Kysely, sql } from 'kysely';

import type { KnownWorkers } from '../record/known-workers.js';
import type { MetricRow, Tables } from '../record/tables.js';
import { cursorAfter, type ListOptions, readListed } from './experiment-list.js';
import { metricView } from './metrics.js';
import { experimentSummary } from './views.js';

/** Which experiments are exported. Default: all. */
export type ExportOptions = Omit<ListOptions, 'sort' | 'metrics'>;

/**
 * One page of the experiments that fit a query, oldest first, with their specs and metrics: as many as are asked for, or fewer, but one, where they are larger than a page may be. One
 * that is submitted meanwhile is on a later page. Refuses a cursor that no export has answered.
 */
export async function exportExperiments(
  db: Kysely<Tables>,
  options: ExportOptions,
  workers: KnownWorkers,
): Promise<ExperimentExport> {
  const { limit = ExportQuery.parse({}).limit } = options;
  const { rows, nextCursor } = await readListed(db, { ...options, limit, sort: OLDEST_FIRST, metrics: [] });
  const fitting = await fittingOn(
    db,
    rows.map(({ id }) => id),
  );
  const page = rows.slice(0, fitting);
  const last = page.at(-1);
  const details = await detailsOf(
    db,
    page.map(({ id }) => id),
  );
  return {
    items: page.flatMap((row) => {
      const found = details.get(row.id);
      // It was deleted a moment ago.
      return found === undefined ? [] : [{ ...experimentSummary(row, workers, []), ...found }];
    }),
    nextCursor: last === undefined || page.length === rows.length ? nextCursor : cursorAfter(OLDEST_FIRST, last),
  };
}

const OLDEST_FIRST: ExperimentSort = { by: 'created', isDescending: false };

/** How many of the first of these experiments a page holds: at least one. */
async function fittingOn(db: Kysely<Tables>, ids: readonly string[]): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select octet_length(e.spec::text) + (
      select coalesce(sum(${BYTES_OF_A_METRIC}::bigint + octet_length(m.name)), 0)::bigint from metrics m where m.id = e.id) as bytes
    from experiments e where e.id = any(${[...ids]}::text[]) order by e.place`.execute(db);
  let bytes = 0;
  const over = rows.findIndex((row) => (bytes += row.bytes) > MAX_PAGE_BYTES);
  return over === -1 ? ids.length : Math.max(1, over);
}

/** Of a page as JSON, about: whoever sends it has it in memory. */
const MAX_PAGE_BYTES = 4 * 2 ** 20;
/** As JSON, beside its name. */
const BYTES_OF_A_METRIC = 200;

interface Details {
  readonly spec: ExperimentSpec;
  readonly from: ExperimentOrigin | null;
  readonly attempts: number;
  readonly metrics: Metric[];
}

async function detailsOf(db: Kysely<Tables>, ids: readonly string[]): Promise<ReadonlyMap<string, Details>> {
  const { rows } = await sql<Omit<Details, 'metrics'> & { readonly id: string }>`
    select e.id, e.spec, e.origin as "from", (select count(*) from attempts a where a.id = e.id) as attempts
    from experiments e where e.id = any(${[...ids]}::text[])`.execute(db);
  const metrics = new Map<string, MetricRow[]>();
  // Of each experiment by key, whatever the planner believes of how many there are.
  const { rows: logged } = await sql<MetricRow>`
    select logged.* from unnest(${[...ids]}::text[]) as asked (id)
      cross join lateral (select * from metrics m where m.id = asked.id offset 0) logged
    order by logged.name collate "C"`.execute(db);
  for (const row of logged) metrics.set(row.id, [...(metrics.get(row.id) ?? []), row]);
  return new Map(rows.map(({ id, ...found }) => [id, { ...found, metrics: (metrics.get(id) ?? []).map(metricView) }]));
}
