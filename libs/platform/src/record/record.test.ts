import { existsSync } from 'node:fs';
import { chmod, cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PGlite } from '@electric-sql/pglite';
import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { readEventPage } from '../life/event-page.js';
import { readLogPage, readSeries } from '../life/series.js';
import { migrate } from './migrate.js';
import { migrations } from './migrations/index.js';
import { builtTemplate, makePgliteFolder } from './pglite-folder.js';
import { PglitePool } from './pglite-pool.js';
import { openRecord, type PlatformRecord } from './record.js';
import type { Tables } from './tables.js';

let folder = '';
let record: PlatformRecord;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longrun-record-'));
  record = await openRecord({ folder });
});

afterAll(async () => {
  await record.close();
  await rm(folder, { recursive: true });
});

test('migrations are numbered without gaps, and applied once', async () => {
  expect(migrations.map(({ name }) => Number(name.slice(0, 4)))).toEqual(migrations.map((_, index) => index + 1));
  const applied = await sql<{ name: string }>`select name from migrations order by name`.execute(record.db);
  expect(applied.rows.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name));
  expect(await migrate(record.db)).toEqual([]);
});

test('a record is the same whether it was copied from the one that the build made or, where that is not whole, made anew', async () => {
  expect(existsSync(builtTemplate)).toBe(true);
  const other = await mkdtemp(join(tmpdir(), 'longrun-record-'));
  const template = join(other, 'template');
  await cp(builtTemplate, template, { recursive: true });
  const tables = join(template, 'base', '5');
  const own = (await readdir(tables)).find((name) => Number(name) >= FIRST_OWN_FILE) ?? '';
  await rm(join(tables, own));
  await makePgliteFolder(join(other, 'pgdata'), template);
  const anew = await openRecord({ folder: other });
  expect(await schemaOf(anew)).toEqual(await schemaOf(record));
  await anew.close();
  await rm(other, { recursive: true });
});

/** PostgreSQL numbers what is not its own from there on. */
const FIRST_OWN_FILE = 16_384;

test('whoever may run the build can copy its record, and write to the copy, whoever made the build', async () => {
  const built = await modesIn(builtTemplate);
  expect(built.length).toBeGreaterThan(100);
  // As a package is laid out that nobody is to change.
  const other = await mkdtemp(join(tmpdir(), 'longrun-record-'));
  const template = join(other, 'template');
  await cp(builtTemplate, template, { recursive: true });
  for (const { path, isFolder } of (await modesIn(template)).toReversed()) await chmod(path, isFolder ? 0o555 : 0o444);
  await makePgliteFolder(join(other, 'pgdata'), template);
  const copied = await modesIn(join(other, 'pgdata'));
  // The seal is not copied.
  expect(copied).toHaveLength(built.length - 1);
  expect(copied.filter(({ mode }) => (mode & 0o600) !== 0o600)).toEqual([]);
  expect(
    built.filter(({ mode, isFolder }) => (mode & 0o444) !== 0o444 || (isFolder && (mode & 0o111) !== 0o111)),
  ).toEqual([]);
  for (const { path, isFolder } of await modesIn(template)) if (isFolder) await chmod(path, 0o755);
  await rm(other, { recursive: true });
});

/** All that is in a folder, and the folder: what is inside comes after it. */
async function modesIn(root: string): Promise<{ path: string; mode: number; isFolder: boolean }[]> {
  const entries = await readdir(root, { recursive: true });
  return Promise.all(
    [root, ...entries.map((entry) => join(root, entry)).toSorted()].map(async (path) => {
      const found = await stat(path);
      return { path, mode: found.mode, isFolder: found.isDirectory() };
    }),
  );
}

test('a migration that fails leaves nothing of itself', async () => {
  const broken = { name: '9999-broken', statements: [sql`create table halfway (id text)`, sql`select nonsense`] };
  await expect(migrate(record.db, [...migrations, broken])).rejects.toThrow(/nonsense/);
  await expect(sql`select * from halfway`.execute(record.db)).rejects.toThrow(/halfway/);
});

test('a record that a newer version has migrated is refused', async () => {
  const newer = { name: '9998-newer', statements: [sql`select 1`] };
  expect(await migrate(record.db, [...migrations, newer])).toEqual(['9998-newer']);
  await expect(migrate(record.db)).rejects.toThrow('migrated by a newer Longrun (9998-newer)');
  await sql`delete from migrations where name = '9998-newer'`.execute(record.db);
});

test('a second opener of the folder is told who has it, and the first goes on', async () => {
  await expect(openRecord({ folder })).rejects.toThrow(`in use by process ${process.pid}`);
  await sql`select 1`.execute(record.db);
});

test('one session serves many transactions at once, each by itself', async () => {
  await sql`create table counter (value integer not null)`.execute(record.db);
  await sql`insert into counter values (0)`.execute(record.db);
  const raise = (fail: boolean): Promise<void> =>
    record.transact(async (transaction) => {
      const { rows } = await sql<{ value: number }>`select value from counter`.execute(transaction);
      await sql`update counter set value = ${(rows[0]?.value ?? 0) + 1}`.execute(transaction);
      if (fail) throw new Error('on purpose');
    });
  const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => raise(index % 3 === 0)));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(10);
  const { rows } = await sql<{ value: number }>`select value from counter`.execute(record.db);
  expect(rows).toEqual([{ value: 20 }]);
});

test('however many transactions follow each other, the event loop turns in between', async () => {
  let turns = 0;
  let next = setImmediate(function turn() {
    turns += 1;
    next = setImmediate(turn);
  });
  for (let count = 0; count < 20; count += 1)
    await record.transact((transaction) => sql`select 1`.execute(transaction));
  clearImmediate(next);
  expect(turns).toBeGreaterThanOrEqual(20);
});

test('numbers, moments and JSON come back as they went in', async () => {
  const { rows } = await sql<object>`select ${2 ** 40}::bigint as big, ${new Date(1e12)}::timestamptz as moment,
    ${JSON.stringify({ snake_case: [1, 'ü'], NaN: null })}::jsonb as "value"`.execute(record.db);
  expect(rows).toEqual([{ big: 2 ** 40, moment: new Date(1e12), value: { snake_case: [1, 'ü'], NaN: null } }]);
});

test('what was committed is there when the record is opened again', async () => {
  await sql`create table kept as select 42 as answer`.execute(record.db);
  await record.close();
  record = await openRecord({ folder });
  expect((await sql`select answer from kept`.execute(record.db)).rows).toEqual([{ answer: 42 }]);
});

test('experiments of old builds are found by their tags', async () => {
  await sql`insert into lives (id, kind, priority, retry, phase, submitted_at)
    select 'exp_' || n, 'experiment', 0, '{}', 'queued', now() from generate_series(1, 3) n`.execute(record.db);
  for (const [place, tags] of [['good', 'bad', 'good'], undefined, ['good']].entries()) {
    await sql`insert into experiments (id, name, spec, program, place, owner, project, status)
      values (${`exp_${place + 1}`}, 'old', ${JSON.stringify({ tags })}::jsonb, 'mlp', ${place + 1}, 'default', 'default', 'queued')`.execute(
      record.db,
    );
  }
  await sql`drop table experiment_tags`.execute(record.db);
  await sql`delete from migrations where name = '0022-tags'`.execute(record.db);
  expect(await migrate(record.db)).toEqual(['0022-tags']);
  const tags = await record.db.selectFrom('experimentTags').selectAll().orderBy('tag').orderBy('place').execute();
  expect(tags).toEqual([
    { tag: 'bad', place: 1 },
    { tag: 'good', place: 1 },
    { tag: 'good', place: 3 },
  ]);
});

test('log rows of old builds, which were stored twice, are converted once, each with its attempt', async () => {
  const old = await mkdtemp(join(tmpdir(), 'longrun-record-'));
  const pglite = await PGlite.create(old);
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: new PglitePool(pglite) }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  const upTo = migrations.findIndex(({ name }) => name === '0006-series');
  await migrate(db, migrations.slice(0, upTo));
  await sql`insert into lives (id, kind, priority, retry, phase, reason, fence, last_event, submitted_at)
    values ('exp_1', 'experiment', 0, '{}', 'ended', 'succeeded', 3, 2100, now())`.execute(db);
  await sql`insert into attempts (id, fence, status, enqueued_at, started_at, start_step, reason) values
    ('exp_1', 1, 'ended', now(), now(), 0, 'worker_lost'), ('exp_1', 2, 'ended', now(), null, null, 'cancelled'),
    ('exp_1', 3, 'ended', now(), now(), 1500, 'succeeded')`.execute(db);
  const started = {
    workerId: 'gpu-1',
    engine: 'reference',
    restoredFrom: null,
    environmentChanged: [],
    rejectedCheckpoints: [],
  };
  const ended = { fence: 1, reason: 'worker_lost', message: null, step: 1999, stepsRun: 1999, peakMemoryBytes: null };
  const events: { type: string; data: unknown }[] = [
    { type: 'line', data: { stream: 'stdout', text: 'loading' } },
    { type: 'attempt_started', data: { ...started, fence: 1, startStep: 0 } },
    ...Array.from({ length: 2000 }, (_, step) => ({
      type: 'log_row',
      data: { step, row: { cost: step / 7, first: true } },
    })),
    { type: 'line', data: { stream: 'stdout', text: 'dying' } },
    { type: 'attempt_ended', data: ended },
    { type: 'line', data: { stream: 'stdout', text: 'loading again' } },
    { type: 'attempt_started', data: { ...started, fence: 3, startStep: 1500 } },
    { type: 'log_row', data: { step: 1501, row: { cost: 'NaN', rate: 'Infinity', text: 'x', none: null } } },
    { type: 'log_row', data: { step: 1501, row: { cost: -1.5e-300 } } },
  ];
  await sql`insert into events (id, event, type, at, data)
    select 'exp_1', e.ordinality, e.value ->> 'type', '2026-01-02T03:04:05.678Z', e.value -> 'data'
    from jsonb_array_elements(${JSON.stringify(events)}::jsonb) with ordinality as e`.execute(db);
  await migrate(db);

  const stored = (await readLogPage(db, 'exp_1', { limit: 5000 })).items;
  expect(stored).toHaveLength(1502);
  expect(stored.at(-2)).toEqual({ step: 1500, row: { cost: 1500 / 7, first: true } });
  expect(stored.at(-1)).toEqual({ step: 1501, row: { cost: -1.5e-300, rate: 'Infinity', text: 'x', none: null } });
  const [cost] = await readSeries(db, 'exp_1', ['cost'], { fromStep: 1501, superseded: true });
  expect(cost).toMatchObject({
    steps: [1501, 1501, 1501, ...Array.from({ length: 498 }, (_, index) => 1502 + index)],
    superseded: [true, true, false, ...Array.from({ length: 498 }, () => true)],
  });
  const page = await readEventPage(db, 'exp_1', 1999);
  expect(page?.events.filter(({ type }) => type === 'log_row')).toEqual([
    expect.objectContaining({ id: 2007, at: '2026-01-02T03:04:05.678Z' }),
    expect.objectContaining({ id: 2008, data: { fence: 3, step: 1501, row: { cost: -1.5e-300 } } }),
  ]);
  const lines = await sql<{ data: unknown }>`select data from events where type = 'line' order by event`.execute(db);
  expect(lines.rows.map(({ data }) => data)).toMatchObject([
    { fence: 1, text: 'loading' },
    { fence: 1, text: 'dying' },
    { fence: 3, text: 'loading again' },
  ]);
  const life = await sql`select outcome_fence from lives`.execute(db);
  expect(life.rows).toEqual([{ outcomeFence: 3 }]);
  await db.destroy();
  await rm(old, { recursive: true });
});

async function schemaOf({ db }: PlatformRecord): Promise<unknown> {
  const columns = await sql`select table_name, column_name, data_type, is_nullable, column_default
    from information_schema.columns where table_schema = 'public' order by 1, 2`.execute(db);
  const indexes = await sql`select indexdef from pg_indexes where schemaname = 'public' order by 1`.execute(db);
  const settings =
    await sql`select name, setting from pg_settings where name in ('server_encoding', 'lc_collate')`.execute(db);
  return [columns.rows, indexes.rows, settings.rows];
}
