import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import sqlite from 'node-sqlite3-wasm';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

import { logBackends } from './log-backends.js';
import { SQLiteLog } from './sqlite-log.js';
import { TrainingLogBase } from './training-log-base.js';
import { TrainingLog } from './training-log.js';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'sqlite-log-'))));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

/** A query of somebody who knows nothing of us. */
function query(file: string, sql: string, values: readonly string[] = []): readonly Record<string, unknown>[] {
  const database = new sqlite.Database(file);
  try {
    // This build of SQLite reads a write-ahead log only so.
    database.exec('pragma locking_mode = exclusive');
    return database.all(sql, [...values]);
  } finally {
    database.close();
  }
}

function logAt(database: string, steps: number): SQLiteLog {
  const log = new SQLiteLog({ database });
  for (let step = 0; step <= steps; step += 1) {
    log.status.iterationsDone = step;
    log.currentRow['cost'] = step / 2;
    log.complete(step - 1);
  }
  log.flush();
  return log;
}

test('1.14-01, 1.14-13: logs are made by name, as the configuration says', () => {
  vi.stubEnv('BLOCKS_CONFIG', '/dev/null');
  vi.stubEnv('BLOCKS_SQLITEDB', join(folder, 'named.sqlite'));
  const log = logBackends.sqlite();

  expect(logBackends.python()).toBeInstanceOf(TrainingLog);
  expect(log).toBeInstanceOf(SQLiteLog);
  expect(log).toBeInstanceOf(TrainingLogBase);
  log.flush();
  expect(existsSync(join(folder, 'named.sqlite'))).toBe(true);
});

test('1.14-10, 1.14-14: the tables, names and values of the original', () => {
  const file = join(folder, 'tables.sqlite');
  const log = new SQLiteLog({ database: file });
  const row = {
    cost: 0.5,
    count: 3,
    big: 2 ** 40,
    text: 'a',
    nothing: null,
    yes: true,
    lost: Number.NaN,
    list: [1, Infinity],
  };
  Object.assign(log.currentRow, row);
  log.status.epochEnds = [3, 6];
  log.status['best_cost'] = 0.25;
  log.flush();
  const entries = query(
    file,
    'select "key", value, typeof(value) type from entries where uuid = ? and time = 0 order by rowid',
    [log.uuid],
  );
  const status = query(file, 'select "key", cast(value as text) value from status where uuid = ?', [log.uuid]);

  expect(entries).toEqual([
    { key: 'cost', value: 0.5, type: 'real' },
    { key: 'count', value: 3, type: 'integer' },
    { key: 'big', value: 2 ** 40, type: 'integer' },
    { key: 'text', value: 'a', type: 'text' },
    { key: 'nothing', value: null, type: 'null' },
    { key: 'yes', value: 1, type: 'integer' },
    { key: 'lost', value: null, type: 'null' },
    { key: 'list', value: new Uint8Array(Buffer.from('[1,{"float":"Infinity"}]')), type: 'blob' },
  ]);
  expect(Object.fromEntries(status.map(({ key, value }) => [key, value]))).toMatchObject({
    iterations_done: '0',
    _epoch_ends: '[3,6]',
    training_started: '0',
    resumed_from: null,
    best_cost: '0.25',
  });
  expect(query(file, "select sql from sqlite_master where type = 'table' order by name").map(({ sql }) => sql)).toEqual(
    [
      'CREATE TABLE entries (uuid TEXT NOT NULL, time INT NOT NULL, "key" TEXT NOT NULL, value, PRIMARY KEY (uuid, time, "key"))',
      'CREATE TABLE status (uuid TEXT NOT NULL, "key" TEXT NOT NULL, value, PRIMARY KEY (uuid, "key"))',
    ],
  );
});

test('rows that are no longer in memory are read from the file, as they are there', () => {
  const log = logAt(join(folder, 'long.sqlite'), 5000);

  expect(log.rows.size).toBeLessThan(2100);
  expect(log.row(7)).toEqual({ cost: 3.5 });
  expect(log.row(4999)).toEqual({ cost: 2499.5 });
  expect(() => log.row(-1)).toThrow('-1 is not a time');
});

test('a log in :memory: is one of its own', () => {
  const [one, other] = [logAt(':memory:', 3), new SQLiteLog({ database: ':memory:' })];

  expect(one.state()['entries']).toBe(4);
  expect(other.state()['entries']).toBe(0);
});

test('many logs share a file, and one that goes on as another sees what was before it there, and no more', () => {
  const file = join(folder, 'many.sqlite');
  const parent = logAt(file, 3000);
  const at = logAt(file, 2500);
  const fork = new SQLiteLog({ database: file });
  fork.restore(at.state());
  at.status.iterationsDone = 2501;
  at.currentRow['cost'] = -1;
  at.flush();
  fork.resume();
  fork.status.iterationsDone = 2501;
  fork.flush();

  expect(fork.row(100)).toEqual({ cost: 50 });
  expect(fork.row(2501)).toEqual({});
  expect(query(file, 'select value from status where "key" = \'resumed_from\' and uuid = ?', [fork.uuid])).toEqual([
    { value: at.uuid },
  ]);
  expect(query(file, 'select count(*) n from entries where uuid = ?', [parent.uuid])).toEqual([{ n: 3001 }]);
});

test('large records are warned of, once', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    const log = new SQLiteLog({ database: ':memory:', maxBlobSize: 10 });
    log.currentRow['small'] = [1, 2];
    log.flush();
    expect(warn).not.toHaveBeenCalled();
    Object.assign(log.currentRow, { weights: [1, 2, 3, 4, 5], more: [1, 2, 3, 4, 5] });
    log.flush();
    log.flush();

    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain('weights has 11 bytes, more than max_blob_size, 10');
  } finally {
    warn.mockRestore();
  }
});

test('a file of another program is used as it is, and what is no SQLite file is refused', () => {
  const file = join(folder, 'theirs.sqlite');
  query(file, 'create table theirs (a)');
  query(file, 'insert into theirs values (1)');
  logAt(file, 1);
  const text = join(folder, 'notes.txt');
  writeFileSync(text, 'Not a database, but notes.');

  expect(query(file, 'select a from theirs')).toEqual([{ a: 1 }]);
  expect(query(file, 'select count(*) n from entries')).toEqual([{ n: 2 }]);
  expect(() => logAt(text, 1)).toThrow(`${text} is no SQLite file; name another one`);
});

test('processes that write one file and are killed leave it whole, with all that they had committed', async () => {
  const file = join(folder, 'killed.sqlite');
  const writes = `
    import { SQLiteLog } from ${JSON.stringify(compiled('sqlite-log.js'))};
    const log = new SQLiteLog({ database: ${JSON.stringify(file)}, flushEveryMs: 0 });
    for (let step = 0; ; step += 1) {
      log.status.iterationsDone = step;
      Object.assign(log.currentRow, { cost: step, weights: Array.from({ length: 3000 }, () => step) });
      log.flush();
      process.stdout.write(log.uuid + ' ' + step + '\\n');
    }`;
  const committed = await Promise.all([4, 7].map(async (lines) => await linesUntilKilled(writes, lines)));
  const hangs = `
    import { writeSync } from 'node:fs';
    import { SharedDatabase } from ${JSON.stringify(compiled('shared-database.js'))};
    const database = new SharedDatabase(${JSON.stringify(file)}, { schema: '' });
    database.transaction((inside) => {
      for (let time = 0; time < 3000; time += 1)
        inside.run("insert into entries values ('half', ?, 'weights', ?)", [time, 'x'.repeat(1000)]);
      writeSync(1, 'is in the midst of it\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  await linesUntilKilled(hangs, 1);
  expect(readdirSync(`${file}.writer`)).toHaveLength(1);
  expect(existsSync(`${file}.lock`)).toBe(true);

  // Whoever comes next finds the file as it was left.
  const next = logAt(file, 1);
  expect(query(file, 'pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  expect(query(file, "select count(*) n from entries where uuid = 'half'")).toEqual([{ n: 0 }]);
  expect(query(file, 'select count(*) n from entries where uuid = ?', [next.uuid])).toEqual([{ n: 2 }]);
  for (const lines of committed) {
    const [uuid = '', step] = lines.at(-1)?.split(' ') ?? [];
    const rows = query(
      file,
      'select time, group_concat("key") keys from entries where uuid = ? group by time order by time',
      [uuid],
    );
    expect(rows.length).toBeGreaterThan(Number(step));
    expect(rows).toEqual(rows.map((_, time) => ({ time, keys: 'cost,weights' })));
  }
  expect(readdirSync(`${file}.writer`)).toEqual([]);
});

function compiled(name: string): string {
  return fileURLToPath(new URL(`../../dist/log/${name}`, import.meta.url));
}

/** What a process says until it is killed, when it has said so many lines. */
async function linesUntilKilled(script: string, count: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === count) child.kill('SIGKILL');
  }
  expect(await exit).toEqual([null, 'SIGKILL']);
  return lines;
}
