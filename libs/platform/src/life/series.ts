import { decodeNumber, encodeNumber, type LogRow, type StoredLogRow } from '@longrun/contracts';
import type { Kysely, Transaction } from 'kysely';

import { entriesOf, type StoredLogEntry } from '../record/log-chunk.js';
import { readChunks } from '../record/log-store.js';
import type { Tables } from '../record/tables.js';
import type { DoubtfulRow } from './changes.js';
import type { Life } from './life.js';

/** Points of one record of an experiment, by step; those of one step in the order in which they came. Columns of equal length. */
export interface Series {
  readonly name: string;
  readonly steps: readonly number[];
  /** Numbers as log rows carry them: NaN and the infinities by their names. */
  readonly values: readonly ReturnType<typeof encodeNumber>[];
  /** The attempt that logged each. */
  readonly fences: readonly number[];
  /** True where a later attempt has a say on the step: the point happened, and does not count. */
  readonly superseded: readonly boolean[];
}

/** Rows of an experiment's log by step, of each step what counts: at most `limit` (default 1000) from `fromStep` (default 0) on. */
export async function readLogRows(
  db: Kysely<Tables>,
  id: string,
  options: { readonly fromStep?: number | undefined; readonly limit?: number | undefined } = {},
): Promise<StoredLogRow[]> {
  const { fromStep = 0, limit = 1000 } = options;
  const found: { step: number; row: Record<string, LogRow[string]> }[] = [];
  for await (const { step, row } of entriesByStep(db, id, { fromStep, superseded: false })) {
    const last = found.at(-1);
    // A row can come in parts: monitoring of the batch, then of the epoch. What came last counts.
    if (last?.step === step) Object.assign(last.row, row);
    else if (found.length === limit) break;
    else found.push({ step, row: { ...row } });
  }
  return found;
}

/** Points of the records with these names (default: all), of the steps from `fromStep` to `toStep`, the superseded ones too where wanted. */
export async function readSeries(
  db: Kysely<Tables>,
  id: string,
  names?: readonly string[],
  options: { readonly fromStep?: number; readonly toStep?: number; readonly superseded?: boolean } = {},
): Promise<Series[]> {
  const { fromStep = 0, toStep, superseded = false } = options;
  const all = new Map<string, SeriesInTheMaking>();
  for await (const entry of entriesByStep(db, id, { fromStep, toStep, names, superseded })) {
    for (const [name, value] of Object.entries(entry.row)) {
      const number = decodeNumber(value);
      if (number === undefined) continue;
      let one = all.get(name);
      if (one === undefined) all.set(name, (one = { name, steps: [], values: [], fences: [], superseded: [] }));
      addPoint(one, entry, encodeNumber(number), superseded);
    }
  }
  return [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Adds those rows of an attempt that the record does not have: of each, the records that no row that counts has at its step.
 * Returns how many rows were added. Followers are told of them as of others.
 */
export async function insertRows(
  transaction: Transaction<Tables>,
  life: Life,
  fence: number,
  entries: readonly StoredLogRow[],
  at: Date,
): Promise<number> {
  return addMissing(
    transaction,
    life,
    entries.map(({ step, row }) => ({ fence, step, row, at })),
  );
}

/** Adds the rows of this transaction that may have been there, where they were not. */
export async function addDoubtful(transaction: Transaction<Tables>, life: Life): Promise<void> {
  await addMissing(transaction, life, life.changes.doubtful.splice(0));
}

async function addMissing(
  transaction: Transaction<Tables>,
  life: Life,
  candidates: readonly DoubtfulRow[],
): Promise<number> {
  if (candidates.length === 0) return 0;
  const known = new Map<number, Set<string>>();
  const learn = ({ step, row }: { readonly step: number; readonly row: LogRow }): void => {
    const names = known.get(step) ?? new Set();
    known.set(step, names);
    for (const name of Object.keys(row)) names.add(name);
  };
  const fromStep = candidates.reduce((least, { step }) => Math.min(least, step), Number.MAX_SAFE_INTEGER);
  const toStep = candidates.reduce((most, { step }) => Math.max(most, step), 0);
  for await (const entry of entriesByStep(transaction, life.row.id, { fromStep, toStep, superseded: false }))
    learn(entry);
  for (const entry of life.changes.entries) learn(entry);
  let added = 0;
  for (const candidate of candidates) {
    const { fence, step, at } = candidate;
    const names = known.get(step);
    const row = Object.fromEntries(Object.entries(candidate.row).filter(([name]) => names?.has(name) !== true));
    // A row without records says that the step was logged.
    if (Object.keys(row).length === 0 && names !== undefined) continue;
    life.addEntry(fence, step, row, at);
    learn({ step, row });
    added += 1;
  }
  return added;
}

/** Entries by step, then by attempt, then in the order in which they came. */
async function* entriesByStep(
  db: Kysely<Tables>,
  id: string,
  range: {
    readonly fromStep: number;
    readonly toStep?: number | undefined;
    readonly names?: readonly string[] | undefined;
    readonly superseded: boolean;
  },
): AsyncGenerator<StoredLogEntry, void, undefined> {
  const { toStep = Number.MAX_SAFE_INTEGER, superseded } = range;
  let limit = CHUNKS_AT_ONCE;
  for (let from = range.fromStep; from <= toStep;) {
    const chunks = await readChunks(db, id, { ...range, fromStep: from, limit });
    const last = chunks.length < limit ? undefined : chunks.at(-1);
    // Chunks that were not read begin there at the earliest. Nothing else is kept between two pages: chunks are merged meanwhile.
    const below = last === undefined ? toStep + 1 : last.steps.reduce((least, step) => Math.min(least, step));
    if (below <= from) {
      limit *= 2;
      continue;
    }
    const entries = chunks
      .flatMap((chunk) => entriesOf(chunk))
      .filter(({ step, superseded: gone }) => step >= from && step < below && (superseded || !gone));
    yield* entries.toSorted((a, b) => a.step - b.step || a.fence - b.fence || a.event - b.event);
    from = below;
  }
}

/** Chunks that are read at once, unless more of them overlap. */
const CHUNKS_AT_ONCE = 16;

interface SeriesInTheMaking {
  readonly name: string;
  readonly steps: number[];
  readonly values: ReturnType<typeof encodeNumber>[];
  readonly fences: number[];
  readonly superseded: boolean[];
}

function addPoint(
  { steps, values, fences, superseded }: SeriesInTheMaking,
  entry: StoredLogEntry,
  value: ReturnType<typeof encodeNumber>,
  keepSuperseded: boolean,
): void {
  const lastValid = entry.superseded || steps.at(-1) !== entry.step ? -1 : superseded.lastIndexOf(false);
  const replaced = lastValid >= 0 && steps[lastValid] === entry.step;
  if (replaced && keepSuperseded) superseded[lastValid] = true;
  else if (replaced) for (const column of [steps, values, fences, superseded]) column.splice(lastValid, 1);
  steps.push(entry.step);
  values.push(value);
  fences.push(entry.fence);
  superseded.push(entry.superseded);
}
