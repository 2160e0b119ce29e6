import { type Kysely, sql } from 'kysely';

import { readBigintArray, readFloat8Array } from './binary-array.js';
import { decodeDigest, HEAD_BYTES, lastOfEachStep, POINT_BYTES, type Points, pointsOf } from './log-digest.js';
import type { Tables } from './tables.js';

/** What is asked for: points of these experiments under these names. */
export interface PointsRequest {
  readonly ids: readonly string[];
  readonly names: readonly string[];
  /**
   * How many points of each are wanted: of what has more, at least so many of them come, among them those that `thin` keeps always. 1 asks for no more than
   * what tells their number, the last, the smallest and the largest.
   */
  readonly atLeast: number;
}

/** The points that count of one experiment under one name. */
export interface NamedPoints {
  readonly id: string;
  readonly name: string;
  readonly points: Points;
}

/**
 * Points of metrics as the log has them now, without those that a later attempt has superseded; nothing of what was never logged. Of chunks that lie apart from the others digests are read,
 * where they have points enough, and of others every row.
 */
export async function readPoints(db: Kysely<Tables>, { ids, names, atLeast }: PointsRequest): Promise<NamedPoints[]> {
  // One statement, for chunks are merged meanwhile.
  const { rows } = await sql<ColumnRow>`
    with columns as (
      select c.id, k.name, c.chunk, c.fence, c.valid_to, c.first_step, c.last_step, c.steps, k.numbers, k.digest,
        (c.valid_to is null or c.valid_to >= c.last_step)
          and coalesce(max(c.last_step) over earlier < c.first_step, true)
          and coalesce(lead(c.first_step) over series > c.last_step, true) as apart,
        sum(coalesce((length(k.digest) - ${sql.lit(HEAD_BYTES)}) / ${sql.lit(POINT_BYTES)}, c.row_count)) over (partition by c.id, k.name) as points
      from log_columns k join log_chunks c using (id, chunk)
      where k.id = any(${[...ids]}::text[]) and k.name = any(${[...names]}::text[]) and (c.valid_to is null or c.valid_to >= c.first_step)
      window series as (partition by c.id, k.name order by c.first_step, c.chunk),
        earlier as (partition by c.id, k.name order by c.first_step, c.chunk rows between unbounded preceding and 1 preceding)
    ), read as (
      select *, digest is not null and apart and (get_byte(digest, 0) = 1 or points >= ${atLeast}::integer) as digested
      from columns
    )
    select id, name, chunk, fence, valid_to, first_step, last_step,
      case when digested then encode(digest, 'base64') end as digest,
      case when not digested then encode(array_send(steps), 'base64') end as steps,
      case when not digested then encode(array_send(numbers), 'base64') end as numbers
    from read order by id, name, first_step, chunk`.execute(db);
  const found: NamedPoints[] = [];
  for (let from = 0; from < rows.length;) {
    const { id, name } = at(rows, from);
    let to = from + 1;
    while (rows[to]?.id === id && rows[to]?.name === name) to += 1;
    const points = joined(rows.slice(from, to));
    if (points.count > 0) found.push({ id, name, points });
    from = to;
  }
  return found;
}

interface ColumnRow {
  readonly id: string;
  readonly name: string;
  readonly chunk: number;
  readonly fence: number;
  readonly validTo: number | null;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly digest: string | null;
  readonly steps: string | null;
  readonly numbers: string | null;
}

/** The points of one series, whose columns come by their first step. */
function joined(columns: readonly ColumnRow[]): Points {
  const parts: Points[] = [];
  for (let from = 0; from < columns.length;) {
    let last = at(columns, from).lastStep;
    let to = from + 1;
    for (; to < columns.length && at(columns, to).firstStep <= last; to += 1)
      last = Math.max(last, at(columns, to).lastStep);
    parts.push(to === from + 1 ? columnPoints(at(columns, from)) : overlapping(columns.slice(from, to)));
    from = to;
  }
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return {
    steps: concatenated(parts.map(({ steps }) => steps)),
    values: concatenated(parts.map(({ values }) => values)),
    count: parts.reduce((sum, { count }) => sum + count, 0),
    nonFinite: parts.reduce((sum, { nonFinite }) => sum + nonFinite, 0),
  };
}

/** Of one step the row of the latest attempt counts, and of its rows the last that came. */
function overlapping(columns: readonly ColumnRow[]): Points {
  const parts = columns.toSorted((one, two) => one.fence - two.fence || one.chunk - two.chunk).map(columnPoints);
  return lastOfEachStep(concatenated(parts.map(({ steps }) => steps)), concatenated(parts.map(({ values }) => values)));
}

function columnPoints({ digest, steps, numbers, validTo }: ColumnRow): Points {
  if (digest !== null) return decodeDigest(Buffer.from(digest, 'base64'));
  if (steps === null || numbers === null) throw new Error('A column came without its digest and without its rows');
  return pointsOf(
    readBigintArray(Buffer.from(steps, 'base64')),
    readFloat8Array(Buffer.from(numbers, 'base64')),
    validTo === null ? undefined : (step) => step <= validTo,
  );
}

function concatenated(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`There is no entry ${index}, only ${values.length}`);
  return value;
}
