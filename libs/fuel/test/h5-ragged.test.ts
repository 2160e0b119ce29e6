import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { H5File } from '../src/hdf5/h5-file.js';
import { stackRows, takeRow } from '../src/arrays/rows.js';
import { CorruptInput, describeH5Dataset, H5Dataset, textOf, type Column, type Columns } from '../src/index.js';
import { temporaryFolder } from './folder.js';
import { dense } from './toy.js';

// Written by goldens/make-ragged.py.
const goldens = fileURLToPath(new URL('goldens/', import.meta.url));
const EXAMPLES = 13;
const WORDS = ['', 'a', 'größe', 'word'.repeat(300), 'tail '];
const DTYPES = ['uint8', 'int16', 'int32', 'int64', 'float32', 'float64', 'bool'] as const;

for (const loadInMemory of [false, true]) {
  const how = loadInMemory ? 'from memory' : 'from the file';

  for (const file of ['ragged.hdf5', 'ragged-latest.hdf5']) {
    test(`rows of several shapes are read, of every type, in any order ${how} (${file})`, async () => {
      const path = join(goldens, file);
      const sources = [...DTYPES, 'big'];
      const dataset = await H5Dataset.open(path, { whichSets: ['all'], sources, loadInMemory });

      for (const rows of [[7, 0, 12, 7, 3], [5], [1, 2, 3]]) {
        const { columns } = await dataset.getData(Uint32Array.from(rows));
        for (const source of sources) {
          const dtype = source === 'big' ? 'float32' : (source as DType);
          expect([source, columns.get(source)]).toEqual([
            source,
            stackRows(
              rows.map((i) => rowOf(i, dtype)),
              source,
            ),
          ]);
        }
      }
      const one = await dataset.getData(8);
      expect(one.columns.get('int64')).toEqual(rowOf(8, 'int64'));
      await expect(dataset.getData(13)).rejects.toThrow(/13/);
      await dataset.close();

      const some = await H5Dataset.open(path, {
        whichSets: ['some'],
        sources: ['float64'],
        subset: [1, 4],
        loadInMemory,
      });
      const { columns } = await some.getData({ start: 0, stop: 2 });
      expect(columns.get('float64')).toEqual(stackRows([rowOf(3, 'float64'), rowOf(6, 'float64')], 'x'));
      await some.close();
    });

    test(`rows without shapes are vectors, those of several KB too; texts are their bytes ${how} (${file})`, async () => {
      const sources = ['vectors', 'large', 'words', 'fixed', 'packed'];
      const dataset = await H5Dataset.open(join(goldens, file), { whichSets: ['all'], sources, loadInMemory });

      const { columns } = await dataset.getData({ start: 0, stop: EXAMPLES });

      for (let i = 0; i < EXAMPLES; i += 1) {
        const flat = rowOf(i, 'uint16');
        expect(at(columns.get('vectors'), i)).toEqual({ ...flat, shape: [flat.data.length] });
        expect(at(columns.get('large'), i)).toEqual(
          ndarray('uint8', [5000 * (i % 3)], new Uint8Array(5000 * (i % 3)).fill(i)),
        );
        expect(textOf(at(columns.get('words'), i))).toBe(WORDS[i % 5]);
        for (const source of ['fixed', 'packed'])
          expect(textOf(at(columns.get(source), i))).toBe((WORDS[i % 5] ?? '').slice(0, 9));
      }
      expect(textOf(dense(await dataset.getData(3), 'words'))).toBe(WORDS[3]);
      await dataset.close();
    });
  }

  test(`a dataset made as Fuel's documentation makes one is read ${how}`, async () => {
    const tests = await H5Dataset.open(join(goldens, 'ragged-fuel.hdf5'), { whichSets: ['test'], loadInMemory });
    expect(tests.sources).toEqual(['image_features', 'targets']);
    expect(tests.axisLabels?.get('image_features')).toEqual(['batch', 'channel', 'height', 'width']);

    const { columns } = await tests.getData({ start: 0, stop: 3 });

    const shapes = [0, 1, 2].map((i) => at(columns.get('image_features'), i).shape);
    expect(shapes).toEqual([
      [3, 3, 4],
      [3, 4, 5],
      [3, 5, 2],
    ]);
    expect([...at(columns.get('image_features'), 1).data]).toEqual(Array.from({ length: 60 }, (_, k) => 91 + k));
    await tests.close();
  });
}

test('2.2-06: sources that are ragged are described as such, with what their axes mean; and the ranges of each split', async () => {
  const { sources, splits } = await describeH5Dataset(join(goldens, 'ragged-fuel.hdf5'));

  expect(sources).toEqual([
    {
      name: 'image_features',
      dtype: 'uint8',
      shape: [100],
      ragged: true,
      axisLabels: ['batch', 'channel', 'height', 'width'],
    },
    { name: 'targets', dtype: 'uint8', shape: [100, 1], ragged: false, axisLabels: ['batch', 'index'] },
  ]);
  const range = { start: 90, stop: 100 };
  expect(splits[1]).toEqual({
    name: 'test',
    sources: ['image_features', 'targets'],
    examplesCount: 10,
    ranges: { image_features: range, targets: range },
  });
});

test('a source without shapes, and one of text, has one axis more than the dataset', async () => {
  const path = join(goldens, 'ragged.hdf5');
  const file = await H5File.open(path);
  const axes = ['vectors', 'words', 'fixed', 'uint8'].map((name) => file.source(name).axisLabels.length);
  file.close();

  expect(axes).toEqual([2, 2, 2, 3]);
});

for (const [source, file, why] of [
  ['chunked', 'ragged-latest.hdf5', /are in chunks with an index of HDF5 1.10 .* h5repack -l chunked:CONTI/],
  ['matrix', 'ragged.hdf5', /variable-length uint8, several in a row, as its shape is \(13, 2\)/],
] as const) {
  test(`what cannot be read is refused with a remedy: ${source}`, async () => {
    const open = H5Dataset.open(join(goldens, file), { whichSets: ['all'], sources: [source] });

    await expect(open).rejects.toThrow(why);
  });
}

test('a damaged element or heap is refused at once, before there is memory for what it says', async () => {
  const golden = join(goldens, 'ragged-fuel.hdf5');
  const file = await H5File.open(golden);
  const element = (file.source('image_features').extent?.offset ?? 0) + 91 * 16;
  file.close();
  const whole = await readFile(golden);
  const heap = Number(whole.readBigUInt64LE(element + 4));
  const path = join(await temporaryFolder(), 'a.hdf5');
  const good = await firstTen(golden);
  const seen = { read: 0, refused: 0 };
  for (const start of [element, heap, heap + 16]) {
    for (let byte = 0; byte < 16; byte += 1) {
      for (const bit of [1, 128]) {
        const bytes = Buffer.from(whole);
        bytes[start + byte] = (bytes[start + byte] ?? 0) ^ bit;
        await writeFile(path, bytes);
        const end = await firstTen(path).catch((error: unknown) => error);
        expect([good, expect.any(CorruptInput)]).toContainEqual(end);
        seen[end instanceof CorruptInput ? 'refused' : 'read'] += 1;
      }
    }
  }
  // What is read: the version of a collection, and counts that nobody needs; the values are those of the whole file.
  expect(seen.refused).toBeGreaterThan(50);
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(256 << 20);
});

for (const [what, source, place, value, message] of [
  ['a length beyond the file', 'vectors', 16 * 5, 2 ** 31, /2147483648 members, more than the file holds/],
  ['a length beyond the object', 'vectors', 16 * 5, 200, /no object \d+ of 400 bytes; the file is damaged/],
  ['an object that is not there', 'vectors', 16 * 5 + 12, 4000, /no object 4000 of/],
  [
    'a shape of another size',
    'shapes of uint8',
    8 * 5,
    5,
    /a row of uint8 with 12 elements, .* shapes of uint8 is \(5, 3\)/,
  ],
  ['a shape below zero', 'shapes of uint8', 8 * 5, 2 ** 32 - 4, /shapes of uint8 is \(-4, 3\)/],
] as const) {
  test(`what does not fit together is named: ${what}`, async () => {
    const golden = join(goldens, 'ragged.hdf5');
    const file = await H5File.open(golden);
    const start = file.source(source).extent?.offset ?? 0;
    file.close();
    const bytes = await readFile(golden);
    bytes.writeUInt32LE(value, start + place);
    const path = join(await temporaryFolder(), 'a.hdf5');
    await writeFile(path, bytes);
    const dataset = await H5Dataset.open(path, { whichSets: ['all'], sources: ['vectors', 'uint8'] });

    await expect(dataset.getData(5)).rejects.toThrow(message);
    await expect(dataset.getData(5)).rejects.toThrow(CorruptInput);
    await dataset.close();
  });
}

async function firstTen(path: string): Promise<Columns> {
  const dataset = await H5Dataset.open(path, { whichSets: ['test'], sources: ['image_features'] });
  try {
    return (await dataset.getData({ start: 0, stop: 10 })).columns;
  } finally {
    await dataset.close();
  }
}

/** A row of the goldens, as make-ragged.py says it. */
function rowOf(i: number, dtype: DType): NdArray {
  const array = ndarray(dtype, [(i * 5) % 7, 1 + (i % 3)]);
  for (let k = 0; k < sizeOf(array.shape); k += 1) {
    const value = (i * 31 + k * 7) % 251;
    if (array.data instanceof BigInt64Array) array.data[k] = BigInt(value);
    else array.data[k] = dtype === 'bool' ? Number(value !== 0) : value;
  }
  return array;
}

/** A row of a column that is there. */
function at(column: Column | undefined, row: number): NdArray {
  if (column === undefined) throw new Error('there is no such column');
  return takeRow(column, row);
}
