import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ndarray, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { stackRows, takeRow } from '../src/arrays/rows.js';
import { H5File } from '../src/hdf5/h5-file.js';
import { CorruptInput, H5Dataset, textOf, type Column } from '../src/index.js';
import { temporaryFolder } from './folder.js';

// Written by goldens/make-ragged-chunks.py.
const golden = fileURLToPath(new URL('goldens/ragged-chunks.hdf5', import.meta.url));
const EXAMPLES = 150;
const VECTORS = ['automatic', 'single', 'packed'];

function valuesOf(row: number): Uint16Array {
  const [height, width] = [(row * 5) % 7, 1 + (row % 3)];
  return Uint16Array.from({ length: height * width }, (_, k) => (row * 31 + k * 7) % 251);
}

function vector(values: Uint16Array): NdArray {
  return ndarray('uint16', [values.length], values);
}

function rowsOf(column: Column | undefined, count: number): NdArray[] {
  if (column === undefined) throw new Error('there is no such column');
  return Array.from({ length: count }, (_, row) => takeRow(column, row));
}

test.each([
  [false, undefined],
  [false, 0],
  [true, undefined],
])(
  'rows of several lengths are read from chunks, whatever they went through (in memory: %s, cache: %s)',
  async (loadInMemory, chunkCacheBytes) => {
    const options = { whichSets: ['all'], loadInMemory, ...(chunkCacheBytes !== undefined && { chunkCacheBytes }) };
    const sources = [...VECTORS, 'images', 'part', 'never', 'words', 'filenames'];
    const dataset = await H5Dataset.open(golden, { ...options, sources });

    for (const request of [
      { start: 0, stop: EXAMPLES },
      { start: 35, stop: 45 },
      Uint32Array.of(149, 17, 0, 17, 64),
    ] as const) {
      const rows =
        request instanceof Uint32Array
          ? [...request]
          : Array.from({ length: request.stop - request.start }, (_, i) => request.start + i);
      const { columns } = await dataset.getData(request);
      const vectors = rows.map((row) => vector(valuesOf(row)));
      for (const source of VECTORS) expect([source, columns.get(source)]).toEqual([source, stackRows(vectors, source)]);
      const images = rows.map((row) => ndarray('uint16', [(row * 5) % 7, 1 + (row % 3)], valuesOf(row)));
      expect(columns.get('images')).toEqual(stackRows(images, 'images'));
      const part = rows.map((row) => vector(row === 17 ? valuesOf(row) : new Uint16Array(0)));
      expect(columns.get('part')).toEqual(stackRows(part, 'part'));
      expect(rowsOf(columns.get('never'), rows.length).every(({ data }) => data.length === 0)).toBe(true);
      expect(rowsOf(columns.get('words'), rows.length).map(textOf)).toEqual(
        rows.map((row) => 'größe '.repeat(row % 4) + String(row)),
      );
      const names = rowsOf(columns.get('filenames'), rows.length);
      expect(names.map(({ shape }) => shape)).toEqual(rows.map(() => [1, 14]));
      expect(names.map((name) => Buffer.from(name.data as Uint8Array).toString())).toEqual(
        rows.map((row) => `n${String(row).padStart(8, '0')}.JPEG`),
      );
    }
    await dataset.close();
  },
);

test('a filter that only the library could undo is named', async () => {
  await expect(H5Dataset.open(golden, { whichSets: ['all'], sources: ['lzf'] })).rejects.toThrow(
    /its chunks went through lzf \(filter 32000\).* h5repack -f lzf:GZIP=4/,
  );
});

test('a damaged tree or chunk is refused, or read as the whole file is', async () => {
  const file = await H5File.open(golden);
  const trees = ['single', 'packed'].map((name) => file.source(name).chunkIndex?.address ?? 0);
  file.close();
  const whole = await readFile(golden);
  // The first chunk of the second tree, whose bytes have a checksum as zlib's.
  const chunk = Number(whole.readBigUInt64LE((trees[1] ?? 0) + 24 + 24));
  const path = join(await temporaryFolder(), 'a.hdf5');
  const read = async (from: string): Promise<unknown> => {
    const dataset = await H5Dataset.open(from, { whichSets: ['all'], sources: ['single', 'packed'] });
    try {
      return (await dataset.getData({ start: 0, stop: 50 })).columns;
    } finally {
      await dataset.close();
    }
  };
  const good = await read(golden);
  let refused = 0;
  for (const [start, length] of [...trees.map((tree) => [tree, 64] as const), [chunk, 24] as const]) {
    for (let byte = 0; byte < length; byte += 1) {
      const bytes = Buffer.from(whole);
      bytes[start + byte] = (bytes[start + byte] ?? 0) ^ 1;
      await writeFile(path, bytes);
      const end = await read(path).catch((error: unknown) => error);
      expect([good, expect.any(CorruptInput)], `byte ${byte} of ${start}`).toContainEqual(end);
      if (end instanceof CorruptInput) refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(30);
});
