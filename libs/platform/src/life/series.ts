import { decodeNumber, encodeNumber, type LogPage, type LogRow, type StoredLogRow } from '@longrun/contracts';
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

/** A part of a log, see {@link readLogPage}. */
export interface LogRange {
  /** Rows of later steps only. Default: all. */
  readonly after?: number | undefined;
  /** Rows at most. Default 1000. */
  readonly limit?: number | undefined;
}

/**
 * Rows of an experiment's log by step, of each step what counts: as many as are asked for, or fewer, but one, where they are larger
 * than a page may be.
 */
export async function readLogPage(db: Kysely<Tables>, id: string, range: LogRange = {}): Promise<LogPage> {
  const { after = -1, limit = 1000 } = range;
  const items: StoredLogRow[] = [];
  let bytes = 0;
  for await (const { step, row, bytes: size } of rowsByStep(db, id, after + 1)) {
    const last = items.at(-1);
    if (last !== undefined && (items.length === limit || bytes >= MAX_PAGE_BYTES))
      return { items, nextAfter: last.step };
    items.push({ step, row });
    bytes += size;
  }
  return { items, nextAfter: null };
}

/** Rows of an experiment's log by step, from `fromStep` on: of each step what counts, whole, and about how many bytes it has as JSON. */
export async function* rowsByStep(
  db: Kysely<Tables>,
  id: string,
  fromStep = 0,
): AsyncGenerator<StoredLogRow & { readonly bytes: number }, void, undefined> {
  let last: { readonly step: number; readonly row: Record<string, LogRow[string]>; bytes: number } | undefined;
  for await (const { step, row, bytes } of entriesByStep(db, id, { fromStep, superseded: false })) {
    if (last?.step === step) {
      // A row can come in parts: monitoring of the batch, then of the epoch. What came last counts.
      Object.assign(last.row, row);
      last.bytes += bytes;
      continue;
    }
    if (last !== undefined) yield last;
    last = { step, row: { ...row }, bytes };
  }
  if (last !== undefined) yield last;
}

/** Of a page as JSON, about: whoever sends it writes it at once. */
const MAX_PAGE_BYTES = 4 * 2 ** 20;

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
