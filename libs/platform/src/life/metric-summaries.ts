import { encodeNumber } from '@longrun/contracts';
import type { Transaction } from 'kysely';

import { columnList, type ColumnTypes, recordset, run } from '../record/bulk.js';
import type { LogChunk } from '../record/log-chunk.js';
import { type Points, pointsOf } from '../record/log-digest.js';
import { readPoints } from '../record/metric-points.js';
import type { MetricRow, Tables } from '../record/tables.js';
import type { Life } from './life.js';

/**
 * Brings the metrics of lives up to date with their log, as it stands in this transaction: rows beyond what was logged under a name are added to what is
 * known, and where rows came between others, or were superseded, it is read anew from the log.
 */
export async function saveMetrics(
  transaction: Transaction<Tables>,
  lives: readonly Life[],
  chunks: readonly { readonly life: Life; readonly chunk: LogChunk }[],
): Promise<void> {
  const stale = chunks.length === 0 ? [] : await addRows(transaction, chunks);
  for (const { row, changes } of lives) {
    for (const { step } of changes.begun) stale.push(...(await loggedBeyond(transaction, row.id, step)));
  }
  if (stale.length > 0) await readAnew(transaction, stale);
}

/** A metric of an experiment. */
interface MetricKey {
  readonly id: string;
  readonly name: string;
}

/** Adds rows to what is known under their names; returns the metrics that have to be read anew instead. */
async function addRows(
  transaction: Transaction<Tables>,
  chunks: readonly { readonly life: Life; readonly chunk: LogChunk }[],
): Promise<MetricKey[]> {
  const added: (MetricRow & { readonly firstStep: number })[] = [];
  const stale: MetricKey[] = [];
  for (const [life, own] of grouped(chunks, (one) => one.life)) {
    const { id } = life.row;
    const columns = own.flatMap(({ chunk }) => chunk.columns.map((column) => ({ ...column, chunk })));
    for (const [name, named] of grouped(columns, (column) => column.name)) {
      const [first] = named;
      if (named.some(({ chunk }) => !isOfLatest(life, chunk.fence))) stale.push({ id, name });
      else if (first !== undefined) {
        const points = pointsOf(
          named.flatMap(({ chunk }) => chunk.steps),
          named.flatMap(({ numbers }) => numbers.map((number) => (number === null ? null : Number(number)))),
        );
        const firstStep = points.steps[0];
        if (firstStep !== undefined) added.push({ ...summary({ id, name }, points), firstStep });
      }
    }
  }
  if (added.length === 0) return stale;
  const { rows } = await run<MetricKey>(transaction, addText, asJson(added));
  return [...stale, ...rows];
}

function grouped<Key, T>(all: readonly T[], keyOf: (one: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

/** Whether no later attempt has begun: none of its rows is superseded. */
function isOfLatest({ row, attempts }: Life, fence: number): boolean {
  return fence === row.fence || (fence === row.fence - 1 && attempts.get(row.fence)?.startStep === null);
}

/** Metrics that have values at later steps. */
async function loggedBeyond(transaction: Transaction<Tables>, id: string, step: number): Promise<MetricKey[]> {
  return transaction
    .selectFrom('metrics')
    .select(['id', 'name'])
    .where('id', '=', id)
    .where('lastStep', '>', step)
    .execute();
}

/** Writes what the log says of these metrics, and removes those of which it says nothing any more. */
async function readAnew(transaction: Transaction<Tables>, keys: readonly MetricKey[]): Promise<void> {
  for (const [id, own] of grouped(keys, (key) => key.id)) {
    const names = [...new Set(own.map(({ name }) => name))];
    await transaction.deleteFrom('metrics').where('id', '=', id).where('name', 'in', names).execute();
    const found = await readPoints(transaction, { ids: [id], names, atLeast: 1 });
    if (found.length > 0)
      await run(transaction, writeText, asJson(found.map(({ name, points }) => summary({ id, name }, points))));
  }
}

/** What points, in which the extremes are, say. */
function summary({ id, name }: MetricKey, { steps, values, count, nonFinite }: Points): MetricRow {
  let least = -1;
  let greatest = -1;
  for (const [index, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    if (least === -1 || value < Number(values[least])) least = index;
    if (greatest === -1 || value > Number(values[greatest])) greatest = index;
  }
  return {
    id,
    name,
    count,
    nonFinite,
    last: values.at(-1) ?? Number.NaN,
    lastStep: steps.at(-1) ?? -1,
    min: values[least] ?? null,
    minStep: steps[least] ?? null,
    max: values[greatest] ?? null,
    maxStep: steps[greatest] ?? null,
  };
}

/** JSON has no NaN: PostgreSQL reads it, and the infinities, by their names. */
function asJson(rows: readonly MetricRow[]): string {
  return JSON.stringify(rows.map((row) => ({ ...row, last: encodeNumber(row.last) })));
}

const columns = {
  id: 'text',
  name: 'text',
  count: 'bigint',
  nonFinite: 'bigint',
  last: 'float8',
  lastStep: 'bigint',
  min: 'float8',
  minStep: 'bigint',
  max: 'float8',
  maxStep: 'bigint',
} satisfies ColumnTypes<keyof MetricRow>;

const writeText = `insert into metrics (${columnList(columns)})
  select ${columnList(columns, 'r')} from ${recordset('$1', 'r', columns)}`;

/** Answers those that have values at or beyond the first step already: they are as they were. All reads are of the state before. */
const addText = `with added as (select * from ${recordset('$1', 'r', { ...columns, firstStep: 'bigint' })}),
  known as (
    update metrics m set
      count = m.count + a.count, non_finite = m.non_finite + a.non_finite, last = a.last, last_step = a.last_step,
      min = least(m.min, a.min), max = greatest(m.max, a.max),
      min_step = case when m.min <= a.min or a.min is null then m.min_step else a.min_step end,
      max_step = case when m.max >= a.max or a.max is null then m.max_step else a.max_step end
    from added a where m.id = a.id and m.name = a.name and m.last_step < a.first_step
    returning m.id, m.name),
  new as (
    insert into metrics (${columnList(columns)})
    select ${columnList(columns, 'a')} from added a
    where not exists (select from metrics m where m.id = a.id and m.name = a.name)
    returning id, name)
  select a.id, a.name from added a
  where not exists (select from known k where k.id = a.id and k.name = a.name)
    and not exists (select from new n where n.id = a.id and n.name = a.name)`;
