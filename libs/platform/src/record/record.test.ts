import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { migrate } from './migrate.js';
import { migrations } from './migrations/index.js';
import { openRecord, type PlatformRecord } from './record.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

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
