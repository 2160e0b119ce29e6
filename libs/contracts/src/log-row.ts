import { z } from 'zod';

import { JsonObject, type Json } from './json.js';

/**
 * One row of the training log: values by record name (`train_cost`, `valid_error`).
 * JSON has no NaN and no infinities: they travel as the strings `NaN`, `Infinity`, `-Infinity` (see {@link encodeNumber}).
 */
export const LogRow = JsonObject;
export type LogRow = Readonly<Record<string, Json>>;

/** How large a log row may be as JSON, in bytes. In a larger one short texts stand for what is too large. */
export const MAX_LOG_ROW_BYTES = 256 * 1024;

/** A number as a log row carries it: itself when finite, else its name. */
export function encodeNumber(value: number): number | 'NaN' | 'Infinity' | '-Infinity' {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return 'Infinity';
  if (value === -Infinity) return '-Infinity';
  return value;
}

/** A cost that is not a finite number, as {@link encodeNumber} writes it. */
export const NonFiniteCost = z.object({
  /** Batches done. */
  step: z.int().min(0),
  /** What it is called in the log; a cost of the algorithm that is not logged is called by its own name. */
  record: z.string().min(1).max(200),
  // An enumeration would have a key `[-Infinity]` in its declaration, which no compiler takes.
  value: z.literal(['NaN', 'Infinity', '-Infinity']),
});
export type NonFiniteCost = z.infer<typeof NonFiniteCost>;

/** Whether a record of a log is what the clock on the wall says, as those of the extension `Timing`: equal runs differ in it. */
export function isWallClock(name: string): boolean {
  return /(^|_)time_(initialization|train|read_data)/.test(name);
}

/** The number that {@link encodeNumber} wrote; undefined when the value is no number. */
export function decodeNumber(value: Json | undefined): number | undefined {
  switch (value) {
    case 'NaN':
      return Number.NaN;
    case 'Infinity':
      return Infinity;
    case '-Infinity':
      return -Infinity;
    default:
      return typeof value === 'number' ? value : undefined;
  }
}

/** A log row as it is stored and served. */
export const StoredLogRow = z.object({ step: z.int().min(0), row: LogRow });
export type StoredLogRow = z.infer<typeof StoredLogRow>;

/** The query of a log: rows beyond a step, oldest first. */
export const LogQuery = z.strictObject({
  /** Rows of later steps only; give `nextAfter` of the page before. Default: from the beginning. */
  after: z.coerce.number().int().min(-1).default(-1),
  /** Rows on a page, 1 to 5000. */
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
});
export type LogQuery = z.infer<typeof LogQuery>;

/** One page of a training log, oldest row first, shorter where rows are large; `nextAfter` asks for the following one, null at the end. */
export const LogPage = z.object({ items: z.array(StoredLogRow), nextAfter: z.int().min(0).nullable() });
export type LogPage = z.infer<typeof LogPage>;
