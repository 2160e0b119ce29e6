import { sql, type Kysely, type Transaction } from 'kysely';

import { bigintArray, float8Array, readBigintArray, readFloat8Array } from './binary-array.js';
import { columnList, recordset, run } from './bulk.js';
import { type LogChunk, MAX_CHUNK_BYTES, MAX_CHUNK_ROWS, SMALL_BYTES, SMALL_ROWS } from './log-chunk.js';
import { DIGEST_POINTS, encodeDigest, pointsOf } from './log-digest.js';
import type { Tables } from './tables.js';

/** Stores chunks of several lives. Rows beyond the start of a later attempt are superseded from the beginning. */
export async function insertChunks(
  transaction: Transaction<Tables>,
  chunks: readonly { readonly id: string; readonly chunk: LogChunk }[],
): Promise<void> {
  if (chunks.length === 0) return;
  const heads = [];
  const columns = [];
  const steps: number[] = [];
  const events: number[] = [];
  const times: number[] = [];
  const numbers: (number | null)[] = [];
  for (const { id, chunk } of chunks) {
    heads.push({
      id,
      chunk: chunk.chunk,
      fence: chunk.fence,
      firstStep: chunk.steps.reduce((least, step) => Math.min(least, step)),
      lastStep: chunk.steps.reduce((most, step) => Math.max(most, step)),
      rowCount: chunk.steps.length,
      sizeBytes: chunk.sizeBytes,
      first: steps.length + 1,
      last: steps.length + chunk.steps.length,
    });
    steps.push(...chunk.steps);
    events.push(...chunk.events);
    times.push(...chunk.times);
    for (const { name, numbers: values, others } of chunk.columns) {
      const first = numbers.length + 1;
      const ofColumn = values.map((value) => (value === null ? null : Number(value)));
      numbers.push(...ofColumn);
      const digest = digestOf(chunk.steps, ofColumn);
      columns.push({ id, chunk: chunk.chunk, name, others, digest, first, last: numbers.length });
    }
  }
  await run(
    transaction,
    insertText,
    JSON.stringify(heads),
    bigintArray(steps),
    bigintArray(events),
    bigintArray(times),
    JSON.stringify(columns),
    float8Array(numbers),
  );
}

/** An attempt begins at `step`: rows of earlier ones beyond it are superseded. */
export async function supersede(
  transaction: Transaction<Tables>,
  id: string,
  fence: number,
  step: number,
): Promise<void> {
  await transaction
    .updateTable('logChunks')
    .set({ validTo: sql<number>`least(valid_to, ${step}::bigint)` })
    .where('id', '=', id)
    .where('fence', '<', fence)
    .where('lastStep', '>', step)
    .execute();
}

/**
 * Merges the small chunks of an attempt that lie side by side, and returns how many small ones it has then. Rows, their
 * events and their order stay as they are.
 */
export async function mergeChunks(transaction: Transaction<Tables>, id: string, fence: number): Promise<number> {
  const { rows } = await sql<SmallChunk>`
    select c.chunk, c.row_count, c.size_bytes,
      (select max(o.chunk) from log_chunks o where o.id = c.id and o.chunk < c.chunk) as previous
    from log_chunks c
    where c.id = ${id} and c.fence = ${fence} and c.row_count < ${SMALL_ROWS}::integer and c.size_bytes < ${SMALL_BYTES}::integer
    order by c.chunk limit ${MERGED_AT_ONCE}`.execute(transaction);
  const groups = sideBySide(rows);
  const parts = groups.flatMap((group) =>
    group.map(({ chunk }, index) => ({
      chunk,
      head: group[0]?.chunk,
      shift: sum(group.slice(0, index), ({ rowCount }) => rowCount),
    })),
  );
  if (parts.some(({ chunk, head }) => chunk !== head)) {
    await run(transaction, mergeText, JSON.stringify(parts), id);
    await digestChunks(
      transaction,
      id,
      parts.flatMap(({ head }) => head ?? []),
    );
  }
  return groups.filter(
    (group) =>
      sum(group, ({ rowCount }) => rowCount) < SMALL_ROWS && sum(group, ({ sizeBytes }) => sizeBytes) < SMALL_BYTES,
  ).length;
}

/** Writes the digests of chunks that were merged. */
async function digestChunks(transaction: Transaction<Tables>, id: string, chunks: readonly number[]): Promise<void> {
  const { rows } = await sql<{ chunk: number; name: string; steps: string; numbers: string }>`
    select chunk, k.name, encode(array_send(c.steps), 'base64') as steps, encode(array_send(k.numbers), 'base64') as numbers
    from log_chunks c join log_columns k using (id, chunk)
    where c.id = ${id} and c.chunk = any(${[...new Set(chunks)]}::bigint[]) and c.row_count > ${DIGEST_POINTS}::integer
      and k.digest is null`.execute(transaction);
  if (rows.length === 0) return;
  const digests = rows.map(({ chunk, name, steps, numbers }) => ({
    chunk,
    name,
    digest: digestOf(readBigintArray(Buffer.from(steps, 'base64')), readFloat8Array(Buffer.from(numbers, 'base64'))),
  }));
  await run(transaction, digestText, JSON.stringify(digests), id);
}

/** Base64 of the digest of a column; null where it would be no shorter. */
function digestOf(steps: readonly number[], numbers: readonly (number | null)[]): string | null {
  return steps.length > DIGEST_POINTS ? encodeDigest(pointsOf(steps, numbers)).toString('base64') : null;
}

interface SmallChunk {
  readonly chunk: number;
  readonly rowCount: number;
  readonly sizeBytes: number;
  /** The one before it, of whatever attempt. */
  readonly previous: number | null;
}

/** Chunks that may become one: nothing lies between them, and together they are within the bounds. */
function sideBySide(chunks: readonly SmallChunk[]): SmallChunk[][] {
  const groups: SmallChunk[][] = [];
  for (const chunk of chunks) {
    const group = groups.at(-1);
    const fits =
      group !== undefined &&
      group.at(-1)?.chunk === chunk.previous &&
      sum([...group, chunk], ({ rowCount }) => rowCount) <= MAX_CHUNK_ROWS &&
      sum([...group, chunk], ({ sizeBytes }) => sizeBytes) <= MAX_CHUNK_BYTES;
    if (fits) group.push(chunk);
    else groups.push([chunk]);
  }
  return groups;
}

/** Which chunks are wanted, and how many. */
export interface ChunkRange {
  /** Of steps from here on. Default 0. */
  readonly fromStep?: number | undefined;
  /** Of steps up to here. Default: all. */
  readonly toStep?: number | undefined;
  /** Only of these names. Default: all. */
  readonly names?: readonly string[] | undefined;
  /** Also those of which no row counts. */
  readonly superseded: boolean;
  readonly limit: number;
}

/** Chunks by their first step. */
export async function readChunks(db: Kysely<Tables>, id: string, range: ChunkRange): Promise<LogChunk[]> {
  const { fromStep = 0, toStep = Number.MAX_SAFE_INTEGER, names, superseded, limit } = range;
  const counted = superseded
    ? sql`true`
    : sql`(c.valid_to is null or c.valid_to >= greatest(c.first_step, ${fromStep}::bigint))`;
  const { rows } = await sql<{ chunk: LogChunk }>`
    select ${chunkJson(names)} as chunk from log_chunks c
    where c.id = ${id} and c.last_step >= ${fromStep}::bigint and c.first_step <= ${toStep}::bigint and ${counted}
    order by c.first_step, c.chunk limit ${limit}`.execute(db);
  return rows.map(({ chunk }) => chunk);
}

/** A chunk `c` of the statement around it as JSON, which is a {@link LogChunk}: PostgreSQL writes NaN as `"NaN"` in JSON, as log rows do. */
export function chunkJson(names?: readonly string[]) {
  const wanted = names === undefined ? sql`` : sql`and k.name = any(${[...names]}::text[])`;
  return sql<LogChunk>`json_build_object('chunk', c.chunk, 'fence', c.fence, 'validTo', c.valid_to, 'sizeBytes', c.size_bytes,
    'steps', c.steps, 'events', c.events, 'times', c.times, 'columns', (
      select coalesce(json_agg(json_build_object('name', k.name, 'numbers', k.numbers, 'others', k.others) order by k.name), '[]')
      from log_columns k where k.id = c.id and k.chunk = c.chunk ${wanted}))`;
}

/** Small chunks that are merged at once, at most. */
const MERGED_AT_ONCE = 200;

const headColumns = {
  id: 'text',
  chunk: 'bigint',
  fence: 'integer',
  firstStep: 'bigint',
  lastStep: 'bigint',
  rowCount: 'integer',
  sizeBytes: 'integer',
};

const valueColumns = { id: 'text', chunk: 'bigint', name: 'text', others: 'jsonb' };

const digestColumns = { chunk: 'bigint', name: 'text', digest: 'text' };

const digestText = `update log_columns k set digest = decode(r.digest, 'base64')
  from ${recordset('$1', 'r', digestColumns)} where k.id = $2 and k.chunk = r.chunk and k.name = r.name`;

/** Where a row's part of the arrays of all rows begins and ends. */
const part = { first: 'integer', last: 'integer' };

const insertText = `with stored as (
    insert into log_chunks (${columnList(headColumns)}, steps, events, times, valid_to)
    select ${columnList(headColumns, 'r')},
      ($2::bigint[])[r.first:r.last], ($3::bigint[])[r.first:r.last], ($4::bigint[])[r.first:r.last], (
        select min(a.start_step) from attempts a where a.id = r.id and a.fence > r.fence and a.start_step < r.last_step)
    from ${recordset('$1', 'r', { ...headColumns, ...part })})
  insert into log_columns (${columnList(valueColumns)}, numbers, digest)
  select ${columnList(valueColumns, 'r')}, ($6::float8[])[r.first:r.last], decode(r.digest, 'base64')
  from ${recordset('$5', 'r', { ...valueColumns, digest: 'text', ...part })}`;

/** The first of each group takes in the others: `$1` says which is whose, and where its rows begin. All reads are of the state before. */
const mergeText = `with parts as (
    select r.head, r.shift, c.* from ${recordset('$1', 'r', { chunk: 'bigint', head: 'bigint', shift: 'integer' })}
      join log_chunks c on c.id = $2 and c.chunk = r.chunk),
  names as (select distinct p.head, k.name from parts p join log_columns k on k.id = $2 and k.chunk = p.chunk),
  whole as (
    update log_chunks c set
      first_step = m.first_step, last_step = m.last_step, valid_to = m.valid_to, row_count = m.row_count,
      size_bytes = m.size_bytes, steps = m.steps, events = m.events, times = m.times
    from (
      select head, min(first_step) as first_step, max(last_step) as last_step, min(valid_to) as valid_to,
        sum(row_count) as row_count, sum(size_bytes) as size_bytes, concatenated(steps order by chunk) as steps,
        concatenated(events order by chunk) as events, concatenated(times order by chunk) as times
      from parts group by head) m
    where c.id = $2 and c.chunk = m.head),
  columns as (
    insert into log_columns (id, chunk, name, numbers, others)
    select $2, n.head, n.name,
      concatenated(coalesce(k.numbers, array_fill(null::float8, array[p.row_count])) order by p.chunk), (
        select jsonb_object_agg((o.key::integer + q.shift)::text, o.value)
        from parts q join log_columns l on l.id = $2 and l.chunk = q.chunk and l.name = n.name, jsonb_each(l.others) o
        where q.head = n.head)
    from names n join parts p on p.head = n.head
      left join log_columns k on k.id = $2 and k.chunk = p.chunk and k.name = n.name
    group by n.head, n.name
    on conflict (id, chunk, name) do update set numbers = excluded.numbers, others = excluded.others, digest = null)
  delete from log_chunks c using parts p where c.id = $2 and c.chunk = p.chunk and p.chunk <> p.head`;

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
