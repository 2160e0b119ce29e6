import { decodeNumber, type Json, type LogRow } from '@longrun/contracts';

/** A row of a training log as it came: all or a part of what was logged at its step. */
export interface LogEntry {
  /** Its number among the events of its experiment. */
  readonly event: number;
  /** The attempt that logged it. */
  readonly fence: number;
  readonly step: number;
  /** Milliseconds since 1970, by the worker's clock. */
  readonly time: number;
  readonly row: LogRow;
}

/** An entry that was stored. */
export interface StoredLogEntry extends LogEntry {
  /** A later attempt began before its step: what counts is that one's row. */
  readonly superseded: boolean;
  /** Its share of its chunk as JSON, whose rows are alike. */
  readonly bytes: number;
}

/** Values under one name, one for each row of a chunk: numbers as {@link LogRow} has them, null where the row has none. */
export interface LogColumn {
  readonly name: string;
  readonly numbers: readonly (number | string | null)[];
  /** Values that are no numbers, by the row's index. */
  readonly others: Readonly<Record<string, Json>> | null;
}

/** Some rows of one attempt in columns, as they are stored. */
export interface LogChunk {
  /** Event of its first row. */
  readonly chunk: number;
  readonly fence: number;
  /** Rows of later steps are superseded; null when none is. */
  readonly validTo: number | null;
  readonly sizeBytes: number;
  readonly steps: readonly number[];
  readonly events: readonly number[];
  readonly times: readonly number[];
  readonly columns: readonly LogColumn[];
}

/** Rows in a chunk, at most. */
export const MAX_CHUNK_ROWS = 1024;
/** And about how much JSON. */
export const MAX_CHUNK_BYTES = 1 << 20;

/** A chunk of fewer rows and bytes is small: many of them are slow to read, and are merged. */
export const SMALL_ROWS = MAX_CHUNK_ROWS / 2;
export const SMALL_BYTES = MAX_CHUNK_BYTES / 8;

/** See {@link SMALL_ROWS}. */
export function isSmall(chunk: { readonly steps: readonly number[]; readonly sizeBytes: number }): boolean {
  return chunk.steps.length < SMALL_ROWS && chunk.sizeBytes < SMALL_BYTES;
}

/** Cuts entries, in the order of their events, into chunks: of one attempt each, and within the bounds. */
export function chunksOf(entries: readonly LogEntry[]): LogChunk[] {
  const chunks: LogChunk[] = [];
  for (let from = 0; from < entries.length;) {
    const fence = entries[from]?.fence;
    let to = from + 1;
    while (to < entries.length && to - from < MAX_CHUNK_ROWS && entries[to]?.fence === fence) to += 1;
    chunks.push(...withinBounds(entries.slice(from, to)));
    from = to;
  }
  return chunks;
}

/** The rows of a chunk, in the order of their events. */
export function entriesOf(chunk: LogChunk): StoredLogEntry[] {
  const { fence, validTo } = chunk;
  const rows: Record<string, Json>[] = chunk.steps.map(() => ({}));
  for (const { name, numbers, others } of chunk.columns) {
    for (const [index, row] of rows.entries()) {
      const number = numbers[index];
      if (number !== null && number !== undefined) row[name] = number;
    }
    for (const [index, value] of Object.entries(others ?? {})) {
      const row = rows[Number(index)];
      if (row !== undefined) row[name] = value;
    }
  }
  return chunk.steps.map((step, index) => ({
    event: at(chunk.events, index),
    fence,
    step,
    time: at(chunk.times, index),
    row: at(rows, index),
    superseded: validTo !== null && step > validTo,
    bytes: chunk.sizeBytes / chunk.steps.length,
  }));
}

function withinBounds(entries: readonly LogEntry[]): LogChunk[] {
  const chunk = toChunk(entries);
  if (chunk.sizeBytes <= MAX_CHUNK_BYTES || entries.length === 1) return [chunk];
  const middle = entries.length >> 1;
  return [...withinBounds(entries.slice(0, middle)), ...withinBounds(entries.slice(middle))];
}

function toChunk(entries: readonly LogEntry[]): LogChunk {
  const columns = new Map<string, { numbers: (number | string | null)[]; others: Record<string, Json> | null }>();
  for (const [index, { row }] of entries.entries()) {
    for (const [name, value] of Object.entries(row)) {
      let column = columns.get(name);
      if (column === undefined) {
        column = { numbers: entries.map(() => null), others: null };
        columns.set(name, column);
      }
      if (typeof value === 'number' || (typeof value === 'string' && decodeNumber(value) !== undefined)) {
        column.numbers[index] = value;
      } else {
        column.others ??= {};
        column.others[index] = value;
      }
    }
  }
  const named = [...columns].map(([name, column]) => ({ name, ...column }));
  return {
    chunk: at(entries, 0).event,
    fence: at(entries, 0).fence,
    validTo: null,
    sizeBytes: named.reduce((bytes, column) => bytes + columnBytes(column, entries.length), 0),
    steps: entries.map(({ step }) => step),
    events: entries.map(({ event }) => event),
    times: entries.map(({ time }) => time),
    columns: named,
  };
}

/** A number takes some eight bytes, whatever it is. */
function columnBytes({ name, others }: LogColumn, rows: number): number {
  return name.length + 8 * rows + (others === null ? 0 : JSON.stringify(others).length);
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`A chunk of the log has no row ${index}, only ${values.length}`);
  return value;
}
