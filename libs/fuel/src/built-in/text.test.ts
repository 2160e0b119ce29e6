import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { isRagged, textOf } from '../arrays/column.js';
import { takeRow } from '../arrays/rows.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { CorruptInput, MissingInput } from '../errors.js';
import { text } from './text.js';

const params = { files: ['b.md', 'a.md'], testShare: 0.25 };

test('each file is an example, of which the last lines are for tests', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'a.md'), 'one\ntwo\nthree\nfour\n');
  await writeFile(join(folder, 'b.md'), 'größer\nals\n4\n');
  const path = join(folder, 'out.hdf5');

  const description = await text.convert(folder, path, params);

  expect(description).toMatchObject({
    sources: [{ name: 'text', dtype: 'uint8', ragged: true, axisLabels: ['batch', 'byte'] }],
    splits: [
      { name: 'train', examplesCount: 2 },
      { name: 'test', examplesCount: 2 },
    ],
  });
  expect([await textsOf(path, 'train'), await textsOf(path, 'test')]).toEqual([
    ['größer\nals\n', 'one\ntwo\nthree\n'],
    ['4\n', 'four\n'],
  ]);
});

test.each([
  ['another encoding', Buffer.from('grö\nßer\n', 'latin1'), /is not UTF-8/],
  ['one line', Buffer.from('one line\n'), /has no line that begins in the last 0.25 of it/],
])('%s is refused, and nothing is left behind', async (_why, bytes, problem) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'b.md'), 'one\ntwo\nthree\nfour\n');
  await writeFile(join(folder, 'a.md'), bytes);

  const error = await text.convert(folder, join(folder, 'out.hdf5'), params).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(CorruptInput);
  expect(error).toMatchObject({ path: join(folder, 'a.md'), message: expect.stringMatching(problem) });
  expect((await readdir(folder)).toSorted()).toEqual(['a.md', 'b.md']);
});

test('files that are not there are named, and none lies elsewhere', async () => {
  const folder = await temporaryFolder();

  await expect(text.convert(folder, join(folder, 'out.hdf5'), params)).rejects.toThrow(MissingInput);
  expect(text.params.safeParse({ files: ['../b.md'] }).success).toBe(false);
});

async function textsOf(path: string, split: string): Promise<string[]> {
  const dataset = await H5Dataset.open(path, { whichSets: [split], loadInMemory: true });
  const { columns } = await dataset.getData({ start: 0, stop: dataset.examplesCount });
  const column = columns.get('text');
  if (column === undefined || !isRagged(column)) throw new Error(`${split} has no ragged text`);
  return Array.from({ length: dataset.examplesCount }, (_, row) => textOf(takeRow(column, row)));
}
