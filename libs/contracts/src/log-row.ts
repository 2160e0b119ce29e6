import { z } from 'zod';

import { Step } from './ids.js';
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

export const NonFiniteCost = z
  .object({
    step: Step.meta({ description: 'Batches done.' }),
    record: z.string().min(1).max(200).meta({
      description:
        'What it is called in the log; a cost of the algorithm that is not logged is called by its own name.',
    }),
    // An enumeration would have a key `[-Infinity]` in its declaration, which no compiler takes.
    value: z.literal(['NaN', 'Infinity', '-Infinity']).meta({ description: 'Which of the three it was.' }),
  })
  .meta({ description: 'A cost that is not a finite number.' });
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

export const StoredLogRow = z
  .object({
    step: Step,
    row: LogRow.meta({
      description:
        'Values by record name, such as `train_cost`; NaN and the infinities as the texts `NaN`, `Infinity` and `-Infinity`.',
    }),
  })
  .meta({ description: 'A log row as it is stored and served.' });
export type StoredLogRow = z.infer<typeof StoredLogRow>;

/** The query of a log: rows beyond a step, oldest first. */
export const LogQuery = z.strictObject({
  after: z.coerce.number().int().min(-1).default(-1).meta({
    description: 'Rows of later steps only; give `nextAfter` of the page before. Default: from the beginning.',
  }),
  limit: z.coerce.number().int().min(1).max(5000).default(1000).meta({ description: 'Rows on a page, 1 to 5000.' }),
});
export type LogQuery = z.infer<typeof LogQuery>;

export const LogPage = z
  .object({
    items: z.array(StoredLogRow).meta({ description: 'The rows of this page.' }),
    nextAfter: z.int().min(0).nullable().meta({ description: '`after` of the next page; null on the last one.' }),
  })
  .meta({ description: 'One page of a training log, oldest row first, shorter where rows are large.' });
export type LogPage = z.infer<typeof LogPage>;
