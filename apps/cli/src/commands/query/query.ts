import type { Client } from '@longrun/client';
import type { ExportQueryInput } from '@longrun/contracts';
import sqlite, { type SQLiteValue } from 'node-sqlite3-wasm';

import { table } from '../../output/table.js';
import type { Terminal } from '../../output/terminal.js';
import type { Row } from '../export/cell.js';
import { POINT_COLUMNS, readRecord } from '../export/read-record.js';
import { RunColumns, rowOf } from '../export/run-table.js';
import { SqlRefused } from './sql-refused.js';
import { SqlTable } from './sql-table.js';

/** What `longrun query` takes. */
export interface QueryOptions {
  /** One statement, in the SQL of SQLite. */
  readonly sql: string;
  readonly json: boolean;
  /** Which experiments it is about. Default: all. */
  readonly query: ExportQueryInput;
}

/**
 * Answers a question about experiments in SQL: over `runs`, a row for each with the columns that `longrun export` writes, and `metrics`, a row for each point
 * that one has logged as a number. The statement runs on a copy in the memory of this process: nothing that it does is felt elsewhere. Points are read only
 * where it names `metrics`.
 *
 * @throws SqlRefused
 */
export async function queryRecord(client: Client, terminal: Terminal, options: QueryOptions): Promise<void> {
  const { sql, json, query } = options;
  const database = new sqlite.Database();
  try {
    database.run('begin');
    const points = /\bmetrics\b/i.test(sql) ? new SqlTable(database, 'metrics', POINT_COLUMNS) : undefined;
    const rows: Row[] = [];
    const columns = new RunColumns();
    const onRuns: Parameters<typeof readRecord>[2]['onRuns'] = (some) => {
      for (const row of some.map(rowOf)) {
        columns.add(row);
        rows.push(row);
      }
    };
    await readRecord(client, query, { points, onRuns });
    points?.close();
    const runs = new SqlTable(database, 'runs', columns.all);
    for (const row of rows) await runs.write(row);
    runs.close();
    database.run('commit');
    print(terminal, answer(database, sql), json);
  } finally {
    database.close();
  }
}

type Answer = readonly Readonly<Record<string, SQLiteValue>>[];

function answer(database: InstanceType<typeof sqlite.Database>, sql: string): Answer {
  try {
    // A row that is not asked to be expanded has a value for each name.
    return database.all(sql).map((row) => Object.fromEntries(Object.entries(row).filter(isValue)));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new SqlRefused(
      `SQLite says of the statement: ${error.message}; \`longrun query --sql "select * from runs limit 1" --json\` shows the columns ` +
        '(names with a dot are written in double quotes)',
      { cause: error },
    );
  }
}

function isValue(entry: [string, unknown]): entry is [string, SQLiteValue] {
  const [, value] = entry;
  return value === null || typeof value !== 'object' || value instanceof Uint8Array;
}

function print(terminal: Terminal, rows: Answer, json: boolean): void {
  if (json) {
    terminal.printJson(
      rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, jsonOf(value)]))),
      2,
    );
    return;
  }
  const names = Object.keys(rows[0] ?? {});
  if (names.length === 0) {
    terminal.say('no rows');
    return;
  }
  const right = names.filter((name) => rows.some((row) => isNumber(row[name])));
  const texts = rows.map((row) => names.map((name) => textOf(row[name])));
  terminal.print(table(names, texts, { right, width: terminal.resultColumns }));
}

/** JSON has neither whole numbers beyond 2^53 nor infinities: these are text. */
function jsonOf(value: SQLiteValue | undefined): unknown {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value;
}

function isNumber(value: SQLiteValue | undefined): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

function textOf(value: SQLiteValue | undefined): string {
  if (value === null || value === undefined) return '';
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}
