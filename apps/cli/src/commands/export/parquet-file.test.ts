import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { expect, onTestFinished, test } from 'vitest';

import type { Cell, Column } from './cell.js';
import { ParquetFile } from './parquet-file.js';

const COLUMNS: readonly Column[] = [
  { name: 'a.b', kind: 'integer' },
  { name: 'text', kind: 'text' },
];

test('rows are written in groups, of which none outgrows the memory that is meant for it, and all are read again', async () => {
  // Of 20,000 characters each: two groups and a half.
  const count = 2_000;
  const file = await written(COLUMNS, count, (index) => [
    ['a.b', { kind: 'integer', value: index }],
    ['text', { kind: 'text', value: String(index).repeat(20_000 / String(index).length) }],
  ]);
  const groups = (await parquetMetadataAsync(file)).row_groups.map(({ num_rows }) => Number(num_rows));
  expect(groups.length).toBe(3);
  expect(Math.max(...groups)).toBeLessThan(840);
  const rows = await parquetReadObjects({ file, columns: ['a.b'] });
  expect(rows.map((row) => row['a.b'])).toEqual(Array.from({ length: count }, (_, index) => BigInt(index)));
});

test('cells of several kinds are text, and a table may have no rows', async () => {
  const cells: readonly Cell[] = [
    { kind: 'number', value: 0.5 },
    { kind: 'boolean', value: true },
    { kind: 'null', value: null },
    { kind: 'text', value: 'text' },
  ];
  const mixed = await written(COLUMNS, cells.length, (index) => [
    ['text', cells[index] ?? { kind: 'null', value: null }],
  ]);
  expect((await parquetReadObjects({ file: mixed })).map(({ text }) => text)).toEqual(['0.5', 'true', null, 'text']);
  expect(await parquetReadObjects({ file: await written(COLUMNS, 0, () => []) })).toEqual([]);
});

async function written(
  columns: readonly Column[],
  count: number,
  rowAt: (index: number) => readonly (readonly [string, Cell])[],
) {
  const folder = await mkdtemp(path.join(tmpdir(), 'longrun-parquet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'table.parquet');
  const table = await ParquetFile.create(file, columns);
  for (let index = 0; index < count; index += 1) await table.write(new Map(rowAt(index)));
  await table.finish();
  await table.close();
  return asyncBufferFromFile(file);
}
