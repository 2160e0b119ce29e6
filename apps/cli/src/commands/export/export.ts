import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { ExportedExperiment, type ExportQueryInput } from '@longrun/contracts';
import { FolderLock } from '@longrun/platform/processes';
import { isDiskFull, makeFolder, syncFolder } from '@longrun/serialization';

import type { Client } from '@longrun/client';
import { size } from '../../output/amounts.js';
import type { Terminal } from '../../output/terminal.js';
import { ExportFailed } from './export-failed.js';
import type { ExportFormat } from './export-format.js';
import { POINT_COLUMNS, readRecord, type RecordCounts } from './read-record.js';
import { RunColumns, rowOf } from './run-table.js';
import { ParquetFile } from './parquet-file.js';
import { CsvFile } from './table-file.js';

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

/** Which columns runs have is known after the last one: until then they lie in a file as they came. */
async function writeTables(client: Client, work: string, { query, format }: ExportOptions): Promise<RecordCounts> {
  const [runsName, metricsName] = filesOf(format);
  const spool = path.join(work, 'runs.jsonl');
  const columns = new RunColumns();
  let counts: RecordCounts;
  const spoolHandle = await open(spool, 'w');
  const metricsFile = await TABLE_FILES[format].create(path.join(work, metricsName), POINT_COLUMNS);
  try {
    counts = await readRecord(client, query, {
      points: metricsFile,
      onRuns: async (some) => {
        for (const run of some) columns.add(rowOf(run));
        await spoolHandle.appendFile(some.map(lineOf).join(''));
      },
    });
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
  return counts;
}

/** On one line, also to who takes these two for ends of lines. */
function lineOf(run: ExportedExperiment): string {
  const json = JSON.stringify(run)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
  return `${json}\n`;
}

async function report(
  terminal: Terminal,
  { folder, json, format }: ExportOptions,
  { runs, points }: RecordCounts,
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
