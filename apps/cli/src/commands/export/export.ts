import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { decodeNumber, ExportedExperiment, type ExportQueryInput, type StoredLogRow } from '@longrun/contracts';
import { FolderLock } from '@longrun/platform/processes';
import { isDiskFull, makeFolder, syncFolder } from '@longrun/serialization';

import type { Client } from '@longrun/client';
import { size } from '../../output/amounts.js';
import type { Terminal } from '../../output/terminal.js';
import { type Cell, cellOf, type Column } from './cell.js';
import { ExportFailed } from './export-failed.js';
import type { ExportFormat } from './export-format.js';
import { RunColumns, rowOf } from './run-table.js';
import { ParquetFile } from './parquet-file.js';
import { CsvFile, type TableFile } from './table-file.js';

/** What `longrun export` takes. */
export interface ExportOptions {
  /** Where to. */
  readonly folder: string;
  readonly json: boolean;
  readonly format: ExportFormat;
  /** Which experiments. Default: all. */
  readonly query: ExportQueryInput;
}

/**
 * Writes the experiments that fit, and all points that they have logged as numbers, to two files, which appear whole in the place of those of before. Broken off, it
 * leaves these as they were.
 *
 * @throws ExportFailed where the files cannot be written; FolderInUse where another export is writing there
 */
export async function exportRecord(client: Client, terminal: Terminal, options: ExportOptions): Promise<void> {
  const folder = path.resolve(options.folder);
  const work = path.join(folder, WORK_FOLDER);
  try {
    await makeFolder(folder);
    const lock = await FolderLock.take(work);
    try {
      const counts = await writeTables(client, work, options);
      for (const name of filesOf(options.format)) await rename(path.join(work, name), path.join(folder, name));
      await syncFolder(folder);
      await report(terminal, options, counts);
    } finally {
      // While it is locked: whoever comes next makes it anew.
      await rm(work, { recursive: true, force: true });
      await lock.release();
    }
  } catch (error) {
    const isOfDisk = error instanceof Error && 'syscall' in error;
    if (!isOfDisk) throw error;
    const remedy = isDiskFull(error) ? 'free some room there' : 'put that right';
    throw new ExportFailed(
      `${options.folder} cannot be written to (${error.message}); ${remedy} or give another folder by -o`,
      {
        cause: error,
      },
    );
  }
}

/** What is not whole yet. */
const WORK_FOLDER = '.longrun-export';

/** Of runs and of metrics. */
function filesOf(format: ExportFormat): readonly [string, string] {
  return [`runs.${format}`, `metrics.${format}`];
}

const TABLE_FILES = { csv: CsvFile, parquet: ParquetFile } as const;

interface Counts {
  readonly runs: number;
  readonly points: number;
}

/** Which columns runs have is known after the last one: until then they lie in a file as they came. */
async function writeTables(client: Client, work: string, { query, format }: ExportOptions): Promise<Counts> {
  const [runsName, metricsName] = filesOf(format);
  const spool = path.join(work, 'runs.jsonl');
  const columns = new RunColumns();
  let runs = 0;
  let points = 0;
  const spoolHandle = await open(spool, 'w');
  const metricsFile = await TABLE_FILES[format].create(path.join(work, metricsName), POINT_COLUMNS);
  try {
    for await (const some of severalAtOnce(client.experiments.export(query))) {
      for (const run of some) columns.add(rowOf(run));
      await spoolHandle.appendFile(some.map(lineOf).join(''));
      points += await writePoints(client, some, metricsFile);
      runs += some.length;
    }
    await metricsFile.finish();
  } finally {
    await spoolHandle.close();
    await metricsFile.close();
  }
  const runsFile = await TABLE_FILES[format].create(path.join(work, runsName), columns.all);
  try {
    for await (const line of createInterface({ input: createReadStream(spool), crlfDelay: Infinity }))
      await runsFile.write(rowOf(ExportedExperiment.parse(JSON.parse(line))));
    await runsFile.finish();
  } finally {
    await runsFile.close();
  }
  return { runs, points };
}

/** On one line, also to who takes these two for ends of lines. */
function lineOf(run: ExportedExperiment): string {
  const json = JSON.stringify(run)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
  return `${json}\n`;
}

const POINT_COLUMNS: readonly Column[] = [
  { name: 'run', kind: 'text' },
  { name: 'name', kind: 'text' },
  { name: 'step', kind: 'integer' },
  { name: 'value', kind: 'number' },
];

/** Writes what runs have logged as numbers, by run and step. Their first pages are asked for together. Answers how many points there are. */
async function writePoints(client: Client, runs: readonly ExportedExperiment[], file: TableFile): Promise<number> {
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

async function report(
  terminal: Terminal,
  { folder, json, format }: ExportOptions,
  { runs, points }: Counts,
): Promise<void> {
  const of = async (name: string): Promise<{ file: string; sizeBytes: number }> => {
    const file = path.join(folder, name);
    return { file, sizeBytes: (await stat(file)).size };
  };
  const [runsName, metricsName] = filesOf(format);
  const [runsFile, metricsFile] = [await of(runsName), await of(metricsName)];
  if (json)
    return terminal.printJson({ runs: { ...runsFile, rows: runs }, metrics: { ...metricsFile, rows: points } }, 2);
  terminal.print(`${runs} ${runs === 1 ? 'run' : 'runs'}: ${runsFile.file} (${size(runsFile.sizeBytes)})`);
  terminal.print(
    `${points} ${points === 1 ? 'point' : 'points'}: ${metricsFile.file} (${size(metricsFile.sizeBytes)})`,
  );
}
