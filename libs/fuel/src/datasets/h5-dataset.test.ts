import { open, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { dense, drain, elements } from '../../test/toy.js';
import { CorruptInput } from '../errors.js';
import { writeH5Dataset } from '../hdf5/h5-writer.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { ShuffledScheme } from '../schemes/shuffled-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { H5Dataset } from './h5-dataset.js';
import { denseIn } from '../arrays/column.js';
import { takeRows } from '../arrays/rows.js';

test('2.2-01, 2.1-10: splits are concatenated in the order of the file, each row once', async () => {
  const folder = await temporaryFolder();
  const path = await example(folder);

  for (const whichSets of [
    ['train', 'test'],
    ['test', 'train'],
    ['train', 'picked', 'test'],
  ]) {
    const dataset = await H5Dataset.open(path, { whichSets, sources: ['y'] });
    const { columns } = await dataset.getData({ start: 0, stop: dataset.examplesCount });
    expect([...denseIn(columns, 'y').data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await dataset.close();
  }
});

test('rows in any order are the same, whether a read for each brings them or one for all of them and those between', async () => {
  const path = join(await temporaryFolder(), 'a.hdf5');
  const columns = [1, 3, 100, 2500].map((width) => {
    const data = Uint16Array.from({ length: 400 * width }, (_, i) => i * 7);
    return [`of${width}`, ndarray('uint16', [400, width], data)] as const;
  });
  await writeH5Dataset(path, async (writer) => {
    await writer.append(Object.fromEntries(columns));
    return { all: Object.fromEntries(columns.map(([name]) => [name, { start: 0, stop: 400 }])) };
  });
  const dataset = await H5Dataset.open(path, { whichSets: ['all'] });

  for (const rows of [[399, 0], [7, 8, 9, 3, 8], [250], [200, 201, 399, 200], []]) {
    const batch = await dataset.getData(Uint32Array.from(rows));
    for (const [name, column] of columns)
      expect(batch.columns.get(name)).toEqual(takeRows(column, Uint32Array.from(rows)));
  }
  await dataset.close();
});

test('2.1-32, 2.1-33: sources are those that all splits have', async () => {
  const folder = await temporaryFolder();
  const path = await example(folder);
  const dataset = await H5Dataset.open(path, { whichSets: ['train', 'picked'] });

  expect(dataset.providesSources).toEqual(['y']);
  expect(dataset.examplesCount).toBe(7);
  await dataset.close();
  await expect(H5Dataset.open(path, { whichSets: ['picked'], sources: ['x'] })).rejects.toThrow(
    /no source x in picked; there are y/,
  );
});

test('a subset counts within the splits', async () => {
  const folder = await temporaryFolder();
  const path = await example(folder);
  const read = async (subset: { start: number; stop: number } | number[]): Promise<number[]> => {
    const dataset = await H5Dataset.open(path, { whichSets: ['test'], sources: ['y'], subset });
    const { columns } = await dataset.getData({ start: 0, stop: dataset.examplesCount });
    await dataset.close();
    return Array.from(denseIn(columns, 'y').data, Number);
  };

  expect(await read({ start: 1, stop: 3 })).toEqual([7, 8]);
  expect(await read([3, 0])).toEqual([6, 9]);
  await expect(read([4])).rejects.toThrow(/row 4 is not one of the 4 rows/);
});

test('an unknown split is refused with a list of those there are', async () => {
  const folder = await temporaryFolder();
  const path = await example(folder);

  await expect(H5Dataset.open(path, { whichSets: ['valid'] })).rejects.toThrow(
    `${path}: there is no split valid; the splits available are train, test, picked`,
  );
  await expect(H5Dataset.open(path, { whichSets: [] })).rejects.toThrow(/give a list of some of train, test, picked/);
  await expect(H5Dataset.open(path, { whichSets: 'train' as unknown as string[] })).rejects.toThrow(/give a list/);
});

test('memory and file give the same batches, in any order of requests', async () => {
  const folder = await temporaryFolder();
  const path = await example(folder);
  const options = { whichSets: ['train', 'test'] };
  const fromFile = await H5Dataset.open(path, options);
  const fromMemory = await H5Dataset.open(path, { ...options, loadInMemory: true });
  const requests = fc.oneof(
    fc.nat(9),
    fc.array(fc.nat(9), { minLength: 1 }).map((list) => Uint32Array.from(list)),
    fc.tuple(fc.nat(10), fc.nat(10)).map(([a, b]) => ({ start: Math.min(a, b), stop: Math.max(a, b) })),
  );

  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      expect(await fromFile.getData(request)).toEqual(await fromMemory.getData(request));
    }),
  );
  await fromFile.close();
});

test('what is in memory needs the file no more; what is not is closed with it', async () => {
  const folder = await temporaryFolder();
  const path = await example(folder);
  const inMemory = await H5Dataset.open(path, { whichSets: ['train'], loadInMemory: true });
  const inFile = await H5Dataset.open(path, { whichSets: ['train'] });
  await inFile.close();
  await inFile.close();
  await unlink(path);

  expect(dense(await inMemory.getData(2), 'y').data).toEqual(Uint8Array.of(2));
  await expect(inFile.getData(2)).rejects.toThrow(`${path}: the dataset is closed`);
});

test('2.1-06, 2.1-09: closing one stream leaves the file to the others, and the last one closes it', async () => {
  const dataset = await H5Dataset.open(await example(await temporaryFolder()), { whichSets: ['train'] });
  const scheme = new SequentialScheme(6, 3);
  const [first, second] = [new DatasetStream(dataset, scheme), dataset.exampleStream()];

  await first.next();
  await first.close();
  await first.close();
  expect(elements(await drain(second), 'y')).toEqual([[0], [1], [2], [3], [4], [5]]);
  await second.close();
  await expect(dataset.getData(0)).rejects.toThrow(/the dataset is closed/);
});

test('a file that lost its end after it was opened is reported, not padded', async () => {
  const folder = await temporaryFolder();
  const path = await example(folder);
  const dataset = await H5Dataset.open(path, { whichSets: ['test'], sources: ['y'] });
  const file = await open(path);
  const { size } = await file.stat();
  await file.close();
  await truncate(path, size - 3);

  await expect(dataset.getData({ start: 0, stop: 4 })).rejects.toThrow(CorruptInput);
  expect(dense(await dataset.getData(0), 'y').data).toEqual(Uint8Array.of(6));
  await dataset.close();
});

test('a stream over a file goes through all of a split', async () => {
  const folder = await temporaryFolder();
  const dataset = await H5Dataset.open(await example(folder), { whichSets: ['train'] });
  const random = new RandomStreams(1).stream('order');
  const stream = new DatasetStream(dataset, new ShuffledScheme(dataset.examplesCount, 4, { random }));

  const batches = await drain(stream);

  expect(
    elements(batches, 'y')
      .flat()
      .toSorted((a, b) => a - b),
  ).toEqual([0, 1, 2, 3, 4, 5]);
  expect(batches.map((batch) => dense(batch, 'x').shape)).toEqual([
    [4, 2],
    [2, 2],
  ]);
  expect(elements(batches, 'x').flat()).toEqual(
    elements(batches, 'y')
      .flat()
      .flatMap((y) => [2 * y, 2 * y + 1]),
  );
  expect(stream.axisLabels?.get('x')).toEqual(['batch', 'feature']);
  await stream.close();
});

/** Ten examples: `x` counts up over (10, 2), `y` over (10). */
async function example(folder: string): Promise<string> {
  const path = join(folder, 'example.hdf5');
  const x = Float32Array.from({ length: 20 }, (_, i) => i);
  const y = Uint8Array.from({ length: 10 }, (_, i) => i);
  await writeH5Dataset(
    path,
    async (writer) => {
      await writer.append({ x: ndarray('float32', [10, 2], x), y: ndarray('uint8', [10], y) });
      return {
        train: { x: { start: 0, stop: 6 }, y: { start: 0, stop: 6 } },
        test: { x: { start: 6, stop: 10 }, y: { start: 6, stop: 10 } },
        picked: { y: { start: 0, stop: 0, indices: [9, 2] } },
      };
    },
    { axisLabels: { x: ['batch', 'feature'] } },
  );
  return path;
}
