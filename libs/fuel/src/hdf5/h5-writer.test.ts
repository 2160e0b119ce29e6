import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ndarray, type DType } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { bytesOf } from '../arrays/rows.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { describeH5Dataset } from './describe.js';
import type { H5DatasetToWrite, SourceToWrite } from './dataset-to-write.js';
import { writeH5Dataset } from './h5-writer.js';
import { dense } from '../../test/toy.js';
import { denseIn } from '../arrays/column.js';

const DTYPES = ['float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'] as const;

test('arrays of every element type come back as they were', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'all.hdf5');
  const arrays = new Map(DTYPES.map((dtype) => [`of_${dtype}`, counting(dtype, [5, 3])]));
  const range = { start: 1, stop: 5 };
  const sources = [...arrays].map(([name, array]): SourceToWrite => {
    return { name, dtype: array.dtype as SourceToWrite['dtype'], shape: array.shape, rows: [bytesOf(array)] };
  });
  await writeH5Dataset(path, {
    splits: { all: Object.fromEntries([...arrays.keys()].map((name) => [name, range])) },
    sources,
  });

  const dataset = await H5Dataset.open(path, { whichSets: ['all'] });
  const batch = await dataset.getData({ start: 0, stop: 4 });

  for (const [name, array] of arrays) {
    expect(dense(batch, name)).toEqual({ ...array, shape: [4, 3], data: array.data.slice(3) });
  }
  await dataset.close();
});

test('rows may come in pieces of any size', async () => {
  const folder = await temporaryFolder();
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (const size of [1, 0, 4, 7]) yield Uint8Array.from({ length: size }, () => size);
  };
  await writeH5Dataset(join(folder, 'a.hdf5'), one({ shape: [4, 3], rows: pieces() }));

  const dataset = await H5Dataset.open(join(folder, 'a.hdf5'), { whichSets: ['all'], loadInMemory: true });
  const { columns } = await dataset.getData({ start: 0, stop: 4 });

  expect(denseIn(columns, 'x').data).toEqual(Uint8Array.of(1, 4, 4, 4, 4, 7, 7, 7, 7, 7, 7, 7));
});

test('the same dataset gives the same bytes, also at another time', async () => {
  const folder = await temporaryFolder();
  const write = async (name: string): Promise<Buffer> => {
    const path = join(folder, name);
    await writeH5Dataset(path, { ...one({ shape: [4, 3], rows: [new Uint8Array(12)] }), command: 'longrun convert x' });
    return readFile(path);
  };
  const first = await write('a.hdf5');
  // HDF5 notes times in seconds.
  await new Promise((resolve) => setTimeout(resolve, 1100));

  expect((await write('b.hdf5')).equals(first)).toBe(true);
});

test('a source may be empty, with or without rows', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.hdf5');
  await writeH5Dataset(path, {
    splits: { all: { none: { start: 0, stop: 0 }, flat: { start: 0, stop: 2 } } },
    sources: [
      { name: 'none', dtype: 'uint8', shape: [0, 3], rows: [] },
      { name: 'flat', dtype: 'uint8', shape: [2, 0], rows: [] },
    ],
  });

  expect((await describeH5Dataset(path)).sources.map(({ shape }) => shape)).toEqual([
    [2, 0],
    [0, 3],
  ]);
  const dataset = await H5Dataset.open(path, { whichSets: ['all'], sources: ['flat'] });
  expect(dense(await dataset.getData({ start: 0, stop: 2 }), 'flat')).toEqual(ndarray('uint8', [2, 0]));
  await dataset.close();
});

test('names are kept that are not ASCII', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.hdf5');
  await writeH5Dataset(path, {
    splits: { größe: { ж: { start: 0, stop: 1, comment: '注' } } },
    sources: [{ name: 'ж', dtype: 'uint8', shape: [1], rows: [Uint8Array.of(5)] }],
  });

  const dataset = await H5Dataset.open(path, { whichSets: ['größe'] });
  expect(dense(await dataset.getData(0), 'ж').data).toEqual(Uint8Array.of(5));
  await dataset.close();
});

for (const [why, rows, message] of [
  ['too few bytes', [new Uint8Array(11)], /x: the rows have 11 bytes, but the shape \(4, 3\) of uint8 takes 12/],
  ['too many bytes', [new Uint8Array(12), new Uint8Array(1)], /x: the rows have more than the 12 bytes/],
  ['an error', failing(), /the source is away/],
] as const) {
  test(`${why} leave what was there, and nothing else`, async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.hdf5');
    await writeFile(path, 'what was there');

    await expect(writeH5Dataset(path, one({ shape: [4, 3], rows }))).rejects.toThrow(message);

    expect(await readdir(folder)).toEqual(['a.hdf5']);
    expect(await readFile(path, 'utf8')).toBe('what was there');
  });
}

test('splits that do not fit are refused before anything is written', async () => {
  const folder = await temporaryFolder();
  const write = (range: { start: number; stop: number; indices?: number[] }, source = 'x') => {
    const dataset = one({ shape: [4, 3], rows: [new Uint8Array(12)] });
    return writeH5Dataset(join(folder, 'a.hdf5'), { ...dataset, splits: { all: { [source]: range } } });
  };

  await expect(write({ start: 0, stop: 5 })).rejects.toThrow(/split all: row 5 of x does not exist; .* 4 rows/);
  await expect(write({ start: 3, stop: 2 })).rejects.toThrow(/after its stop/);
  await expect(write({ start: 0, stop: 0, indices: [4] })).rejects.toThrow(/row 4/);
  await expect(write({ start: 0, stop: 1 }, 'y')).rejects.toThrow(/no source y; the sources are x/);
  expect(await readdir(folder)).toEqual([]);
});

test('more splits than the attribute holds are refused', async () => {
  const folder = await temporaryFolder();
  const ranges = Array.from({ length: 3000 }, (_, i) => [`split${i}`, { x: { start: 0, stop: 1 } }] as const);
  const dataset = { ...one({ shape: [4, 3], rows: [new Uint8Array(12)] }), splits: Object.fromEntries(ranges) };

  await expect(writeH5Dataset(join(folder, 'a.hdf5'), dataset)).rejects.toThrow(/3000 pairs .* use fewer splits/);
  expect(await readdir(folder)).toEqual([]);
});

function one(source: Pick<SourceToWrite, 'shape' | 'rows'>): H5DatasetToWrite {
  const stop = source.shape[0] ?? 0;
  return { splits: { all: { x: { start: 0, stop } } }, sources: [{ name: 'x', dtype: 'uint8', ...source }] };
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(3);
  throw new Error('the source is away');
}

function counting(dtype: DType, shape: readonly number[]) {
  const array = ndarray(dtype, shape);
  for (let i = 0; i < array.data.length; i += 1) {
    if (array.data instanceof BigInt64Array) array.data[i] = BigInt(i) - 7n;
    else array.data[i] = i - 7;
  }
  return array;
}
