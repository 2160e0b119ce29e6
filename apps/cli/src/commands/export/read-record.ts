import type { Client } from '@longrun/client';
import { decodeNumber, type ExportedExperiment, type ExportQueryInput, type StoredLogRow } from '@longrun/contracts';

import { type Cell, cellOf, type Column } from './cell.js';
import type { TableFile } from './table-file.js';

/** Who takes what is read. */
export interface RecordReading {
  readonly onRuns: (runs: readonly ExportedExperiment[]) => void | Promise<void>;
  /** Takes all points that these runs have logged as numbers, as {@link POINT_COLUMNS}, after the runs. Default: they are not read. */
  readonly points?: Pick<TableFile, 'write'> | undefined;
}

/** How much was read. */
export interface RecordCounts {
  readonly runs: number;
  readonly points: number;
}

/** Reads the experiments that fit, some at a time, and what they have logged as numbers. */
export async function readRecord(
  client: Client,
  query: ExportQueryInput,
  { onRuns, points: file }: RecordReading,
): Promise<RecordCounts> {
  let [runs, points] = [0, 0];
  for await (const some of severalAtOnce(client.experiments.export(query))) {
    await onRuns(some);
    if (file !== undefined) points += await writePoints(client, some, file);
    runs += some.length;
  }
  return { runs, points };
}

/** Of a table of what runs have logged as numbers. */
export const POINT_COLUMNS: readonly Column[] = [
  { name: 'run', kind: 'text' },
  { name: 'name', kind: 'text' },
  { name: 'step', kind: 'integer' },
  { name: 'value', kind: 'number' },
];

/** Writes what runs have logged as numbers, by run and step. Their first pages are asked for together. Answers how many points there are. */
async function writePoints(
  client: Client,
  runs: readonly ExportedExperiment[],
  file: Pick<TableFile, 'write'>,
): Promise<number> {
  const logs = runs
    .filter(({ metrics }) => metrics.length > 0)
    .map(({ id }) => ({ id, rows: client.experiments.logRows(id) }));
  const firsts = await Promise.all(logs.map(({ rows }) => rows.next()));
  let points = 0;
  for (const [index, { id, rows }] of logs.entries()) {
    const run = cellOf(id);
    for (let next = firsts[index]; next?.done === false; next = await rows.next()) {
      for (const row of rowsOf(run, next.value)) {
        await file.write(row);
        points += 1;
      }
    }
  }
  return points;
}

function rowsOf(run: Cell, { step, row }: StoredLogRow): Map<string, Cell>[] {
  return Object.entries(row)
    .toSorted(([one], [two]) => (one < two ? -1 : 1))
    .flatMap(([name, logged]) => {
      const value = decodeNumber(logged);
      if (value === undefined) return [];
      const cells = { run, name: cellOf(name), step: cellOf(step), value: { kind: 'number', value } } as const;
      return [new Map<string, Cell>(Object.entries(cells))];
    });
}

/** Logs that are asked for at once. */
const AT_ONCE = 8;

async function* severalAtOnce<T>(all: AsyncIterable<T>): AsyncGenerator<T[], void, undefined> {
  let some: T[] = [];
  for await (const one of all) {
    some.push(one);
    if (some.length < AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
