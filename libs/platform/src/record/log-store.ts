import { sql, type Kysely, type Transaction } from 'kysely';

import { columnList, recordset, run } from './bulk.js';
import { chunksOf, entriesOf, isSmall, type LogChunk, MAX_CHUNK_BYTES, MAX_CHUNK_ROWS } from './log-chunk.js';
import type { Tables } from './tables.js';

/** Stores chunks of several lives. Rows beyond the start of a later attempt are superseded from the beginning. */
export async function insertChunks(
  transaction: Transaction<Tables>,
  chunks: readonly { readonly id: string; readonly chunk: LogChunk }[],
): Promise<void> {
  if (chunks.length === 0) return;
  const heads = chunks.map(({ id, chunk: { chunk, fence, sizeBytes, steps, events, times } }) => ({
    id,
    chunk,
    fence,
    firstStep: steps.reduce((least, step) => Math.min(least, step)),
    lastStep: steps.reduce((most, step) => Math.max(most, step)),
    rowCount: steps.length,
    sizeBytes,
    steps,
    events,
    times,
  }));
  const columns = chunks.flatMap(({ id, chunk: { chunk, columns: all } }) =>
    all.map(({ name, numbers, others }) => ({ id, chunk, name, numbers, others })),
  );
  await run(transaction, insertText, JSON.stringify(heads), JSON.stringify(columns));
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
  const { rows } = await sql<{ chunk: LogChunk; previous: number | null }>`
    select ${chunkJson()} as chunk, (select max(o.chunk) from log_chunks o where o.id = c.id and o.chunk < c.chunk) as previous
    from log_chunks c
    where c.id = ${id} and c.fence = ${fence} and c.row_count < ${MAX_CHUNK_ROWS / 2}::integer
      and c.size_bytes < ${MAX_CHUNK_BYTES / 8}::integer
    order by c.chunk limit ${mergedAtOnce}`.execute(transaction);
  const groups: LogChunk[][] = [];
  for (const { chunk, previous } of rows) {
    const group = groups.at(-1);
    const fits =
      group !== undefined &&
      group.at(-1)?.chunk === previous &&
      sum([...group, chunk], ({ steps }) => steps.length) <= MAX_CHUNK_ROWS &&
      sum([...group, chunk], ({ sizeBytes }) => sizeBytes) <= MAX_CHUNK_BYTES;
    if (fits) group.push(chunk);
    else groups.push([chunk]);
  }
  const many = groups.filter((group) => group.length > 1);
  const merged = many.flatMap((group) => chunksOf(group.flatMap((chunk) => entriesOf(chunk))));
  if (many.length > 0) {
    const gone = many.flat().map(({ chunk }) => chunk);
    await transaction.deleteFrom('logChunks').where('id', '=', id).where('chunk', 'in', gone).execute();
    await insertChunks(
      transaction,
      merged.map((chunk) => ({ id, chunk })),
    );
  }
  return groups.length - many.length + merged.filter(isSmall).length;
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
const mergedAtOnce = 200;

const chunkColumns = {
  id: 'text',
  chunk: 'bigint',
  fence: 'integer',
  firstStep: 'bigint',
  lastStep: 'bigint',
  rowCount: 'integer',
  sizeBytes: 'integer',
  steps: 'bigint[]',
  events: 'bigint[]',
  times: 'bigint[]',
};

const valueColumns = { id: 'text', chunk: 'bigint', name: 'text', numbers: 'float8[]', others: 'jsonb' };

const insertText = `with stored as (
    insert into log_chunks (${columnList(chunkColumns)}, valid_to)
    select ${columnList(chunkColumns, 'r')}, (
      select min(a.start_step) from attempts a where a.id = r.id and a.fence > r.fence and a.start_step < r.last_step)
    from ${recordset('$1', 'r', chunkColumns)})
  insert into log_columns (${columnList(valueColumns)})
  select ${columnList(valueColumns, 'r')} from ${recordset('$2', 'r', valueColumns)}`;

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
