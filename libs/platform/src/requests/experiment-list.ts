import {
  assertNever,
  decodeNumber,
  type ExperimentList,
  ExperimentQuery,
  type ExperimentSort,
  type ExperimentStatus,
  type MetricCondition,
  type Relation,
  sortText,
  StorableText,
} from '@longrun/contracts';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { z } from 'zod';

import type { KnownWorkers } from '../record/known-workers.js';
import type { LifeRow, Tables } from '../record/tables.js';
import { parseJson } from '../redis/parse-json.js';
import { datasetsInRoles } from './datasets-in-roles.js';
import { idBegins } from './id-beginning.js';
import { cursorUnknown } from './pages.js';
import { experimentSummary, type ListedExperiment } from './views.js';

/** Which experiments are listed, and how. Default: all, newest first. */
export type ListOptions = Partial<Omit<ExperimentQuery, 'status' | 'where' | 'tag'>> &
  Pick<ExperimentQuery, 'status' | 'where' | 'tag'>;

/**
 * One page of the experiments that fit a query, and on the first page how many of them have each status. A page goes on after the last item of the one
 * before, by its value and its place, whatever was added or deleted meanwhile. Refuses a cursor that no list with this sort has answered.
 */
export async function listExperiments(
  db: Kysely<Tables>,
  options: ListOptions,
  workers: KnownWorkers,
): Promise<ExperimentList> {
  const { metrics = [] } = options;
  const { rows, nextCursor } = await readListed(db, options);
  return {
    items: rows.map((row) => experimentSummary(row, workers, metrics)),
    nextCursor,
    counts: options.cursor === undefined ? await countsOf(db, options) : null,
  };
}

/** One page of what a list shows of experiments, and where the next one goes on; null at the end. */
export async function readListed(
  db: Kysely<Tables>,
  options: ListOptions,
): Promise<{ readonly rows: readonly ListedRow[]; readonly nextCursor: string | null }> {
  const { limit, sort, metrics } = { ...ExperimentQuery.parse({}), ...options };
  const filters = filtersOf(options);
  const stages = stagesOf(sort, options.where);
  const cursor = readCursor(options.cursor, sort, stages);
  const rows: ListedRow[] = [];
  for (let stage = cursor?.stage ?? 0; stage < stages.length && rows.length <= limit; stage += 1) {
    const after = cursor?.stage === stage ? cursor : undefined;
    // One row too many says that there are more.
    rows.push(...(await readStage(db, stages, { stage, after, filters, metrics, limit: limit + 1 - rows.length })));
  }
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > limit && last !== undefined ? cursorAfter(sort, last) : null };
}

type Sql = RawBuilder<unknown>;

/** Experiments that are sorted alike. Those of one stage come before those of the next. */
interface Stage {
  /** From where; `e` is the experiment. */
  readonly from: Sql;
  readonly where: Sql;
  /** By what they are sorted and, where that is equal, by what else. */
  readonly keys: readonly [SortKey, SortKey];
  readonly isDescending: boolean;
}

/** A value by which experiments are sorted, as text in a cursor, and back. */
interface SortKey {
  readonly value: Sql;
  readonly asText: Sql;
  readonly fromText: (text: string) => Sql;
  readonly isValid: (text: string) => boolean;
}

function stagesOf({ by, isDescending }: ExperimentSort, conditions: readonly MetricCondition[] = []): Stage[] {
  const place = bigintKey(sql`e.place`);
  const all = { from: sql`experiments e`, where: sql`true`, isDescending } as const;
  const newest = { ...all, keys: [place, place], isDescending: true } as const;
  if (typeof by === 'object') {
    const hasNumber = sql`m.name = ${by.metric} and m.last < 'NaN'`;
    // What the filters say of the same metric is said here again: the index then begins where they do.
    const same = conditions.filter(({ metric }) => metric === by.metric).map(isFulfilled);
    return [
      {
        ...all,
        from: sql`metrics m join experiments e on e.id = m.id`,
        where: sql.join([hasNumber, ...same], sql` and `),
        keys: [numberKey(sql`m.last`), textKey(sql`m.id`)],
      },
      { ...newest, where: sql`not exists (select from metrics m where m.id = e.id and ${hasNumber})` },
    ];
  }
  switch (by) {
    case 'created':
      return [{ ...all, keys: [place, place] }];
    case 'name':
      return [{ ...all, keys: [textKey(sql`e.name`), place] }];
    case 'status':
      return [{ ...all, keys: [textKey(sql`e.status`), place] }];
    case 'ended':
      return [
        { ...all, where: sql`e.ended_at is not null`, keys: [momentKey(sql`e.ended_at`), place] },
        { ...newest, where: sql`e.ended_at is null` },
      ];
    default:
      return assertNever(by, 'sort');
  }
}

function textKey(value: Sql): SortKey {
  return { value, asText: value, fromText: (text) => sql`${text}::text`, isValid: isStorable };
}

function bigintKey(value: Sql): SortKey {
  return { value, asText: sql`${value}::text`, fromText: (text) => sql`${text}::bigint`, isValid: isWhole };
}

function numberKey(value: Sql): SortKey {
  return { value, asText: sql`${value}::text`, fromText: (text) => sql`${text}::float8`, isValid: isNumber };
}

function isStorable(text: string): boolean {
  return StorableText.safeParse(text).success;
}

function isWhole(text: string): boolean {
  return /^\d{1,18}$/.test(text);
}

function isNumber(text: string): boolean {
  return decodeNumber(text) !== undefined || (/^-?\d[\d.e+-]*$/.test(text) && Number.isFinite(Number(text)));
}

/** In microseconds, which is all that PostgreSQL keeps of a moment. */
function momentKey(value: Sql): SortKey {
  return {
    ...bigintKey(value),
    asText: sql`(extract(epoch from ${value}) * 1000000)::bigint::text`,
    fromText: (text) => sql`('epoch'::timestamptz + ${text}::bigint * interval '1 microsecond')`,
  };
}

/** What a list reads of an experiment. */
export type ListedRow = LifeRow & ListedExperiment & Sorted;

interface Sorted {
  readonly stage: number;
  /** Its values of the two keys of its stage. */
  readonly firstKey: string;
  readonly secondKey: string;
}

interface StageQuery {
  readonly stage: number;
  /** The last item of the page before, where it is in this stage. */
  readonly after: Cursor | undefined;
  readonly filters: Sql;
  readonly metrics: readonly string[];
  readonly limit: number;
}

async function readStage(db: Kysely<Tables>, stages: readonly Stage[], query: StageQuery): Promise<ListedRow[]> {
  const { stage, after, filters, metrics, limit } = query;
  const sorting = stages[stage];
  if (sorting === undefined) return [];
  const { from, where, keys, isDescending } = sorting;
  const [first, second] = keys;
  const beyond = isDescending ? sql`<` : sql`>`;
  const direction = isDescending ? sql`desc` : sql`asc`;
  const further =
    after === undefined
      ? sql`true`
      : sql`(${first.value}, ${second.value}) ${beyond} (${first.fromText(after.keys[0])}, ${second.fromText(after.keys[1])})`;
  // What is shown of an experiment is looked up for those of the page alone.
  const { rows } = await sql<ListedRow>`
    select lives.*, page.name, page.program, page.program_sha256, page.first_key, page.second_key, ${stage}::integer as stage,
      (select e.spec -> 'resources' from experiments e where e.id = lives.id) as resources,
      ${datasetsInRoles} as datasets,
      (select coalesce(json_object_agg(m.name, m.last), '{}') from metrics m
        where m.id = lives.id and m.name = any(${[...metrics]}::text[])) as metrics
    from (
      select e.id, e.name, e.program, e.program_sha256, ${first.value} as first_value, ${second.value} as second_value,
        ${first.asText} as first_key, ${second.asText} as second_key
      from ${from} where ${where} and ${filters} and ${further}
      order by ${first.value} ${direction}, ${second.value} ${direction} limit ${limit}
    ) page join lives on lives.id = page.id
    order by page.first_value ${direction}, page.second_value ${direction}`.execute(db);
  return rows;
}

async function countsOf(db: Kysely<Tables>, options: ListOptions): Promise<Record<ExperimentStatus, number>> {
  const { rows } = await sql<{ status: ExperimentStatus; count: number }>`
    select e.status, count(*) as count from experiments e
    where ${filtersOf({ ...options, status: undefined })} group by e.status`.execute(db);
  const counts = { queued: 0, running: 0, paused: 0, succeeded: 0, failed: 0, cancelled: 0 };
  for (const { status, count } of rows) counts[status] = count;
  return counts;
}

/** What an experiment `e` has to be. */
function filtersOf({ status, program, dataset, owner, project, name, exactName, id, tag, where }: ListOptions): Sql {
  const filters: Sql[] = [
    ...(status === undefined ? [] : [sql`e.status = any(${[...status]}::text[])`]),
    ...(program === undefined ? [] : [sql`e.program = ${program}`]),
    ...(owner === undefined ? [] : [sql`e.owner = ${owner}`]),
    ...(project === undefined ? [] : [sql`e.project = ${project}`]),
    ...(name === undefined ? [] : [sql`position(lower(${name}::text) in lower(e.name)) > 0`]),
    ...(exactName === undefined ? [] : [sql`e.name = ${exactName}`]),
    ...(id === undefined ? [] : [idBegins(sql`e.id`, 'exp', id)]),
    ...(dataset === undefined
      ? []
      : [
          sql`exists (select from experiment_datasets used where used.id = e.id and used.dataset_id in (
            select d.id from datasets d where d.id = ${dataset} or d.name = ${dataset}))`,
        ]),
    ...(tag ?? []).map((one) => sql`exists (select from experiment_tags t where t.tag = ${one} and t.place = e.place)`),
    ...(where ?? []).map(hasMetric),
  ];
  return filters.length === 0 ? sql`true` : sql.join(filters, sql` and `);
}

function hasMetric(condition: MetricCondition): Sql {
  return sql`exists (select from metrics m where m.id = e.id and m.name = ${condition.metric} and ${isFulfilled(condition)})`;
}

/** What is asked of the last value of a metric `m`. NaN is above all numbers to PostgreSQL, and neither above nor below any to us. */
function isFulfilled({ relation, value }: MetricCondition): Sql {
  const belowNaN = relation === '>' || relation === '>=' ? sql`and m.last < 'NaN'` : sql``;
  return sql`m.last ${operators[relation]} ${String(value)}::float8 ${belowNaN}`;
}

const operators: Readonly<Record<Relation, Sql>> = {
  '<': sql`<`,
  '<=': sql`<=`,
  '=': sql`=`,
  '!=': sql`<>`,
  '>=': sql`>=`,
  '>': sql`>`,
};

/** Where a list goes on: after the item of a stage with these keys. */
interface Cursor {
  readonly stage: number;
  readonly keys: readonly [string, string];
}

const CursorParts = z.tuple([z.string(), z.int().min(0), z.string(), z.string()]);

/** Where a list with this sort goes on after a row of it. */
export function cursorAfter(sort: ExperimentSort, { stage, firstKey, secondKey }: ListedRow): string {
  const parts: z.infer<typeof CursorParts> = [sortText(sort), stage, firstKey, secondKey];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function readCursor(text: string | undefined, sort: ExperimentSort, stages: readonly Stage[]): Cursor | undefined {
  if (text === undefined) return undefined;
  const parts = CursorParts.safeParse(parseJson(Buffer.from(text, 'base64url').toString()));
  if (!parts.success) throw cursorUnknown(text);
  const [sorted, stage, ...keys] = parts.data;
  const isValid = stages[stage]?.keys.every((key, index) => key.isValid(keys[index] ?? ''));
  if (sorted !== sortText(sort) || isValid !== true) throw cursorUnknown(text);
  return { stage, keys };
}
