import { constants } from 'node:buffer';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hdf5Library } from '../src/hdf5/library.js';
import { denseIn, describeH5Dataset, H5Dataset, UnsuitableDataset } from '../src/index.js';
import { temporaryFolder } from './folder.js';

// Written by goldens/make-layouts.py.
const goldens = fileURLToPath(new URL('goldens/', import.meta.url));
const EXAMPLES = 13;
const SHAPE = [3, 5];
const ROW = 15;
const SOURCES = [
  'plain',
  'gzip',
  'shuffled',
  'summed',
  'szip',
  'scaled',
  'single',
  'tall',
  'resizable',
  'big',
] as const;
const OTHERS = ['bigplain', 'compact', 'named', 'link'] as const;

for (const file of ['layouts.hdf5', 'layouts-latest.hdf5']) {
  test(`every way that HDF5 packs chunks is read alike, in any order, with a large cache and with none (${file})`, async () => {
    const open = (chunkCacheBytes: number): Promise<H5Dataset> =>
      H5Dataset.open(join(goldens, file), { whichSets: ['all'], sources: [...SOURCES, ...OTHERS], chunkCacheBytes });
    const datasets = [await open(0), await open(100), await open(2 ** 20)];
    const rows = fc.oneof(
      fc.array(fc.nat(EXAMPLES - 1), { minLength: 1, maxLength: 20 }).map((list) => Uint32Array.from(list)),
      fc.tuple(fc.nat(EXAMPLES), fc.nat(EXAMPLES)).map(([a, b]) => ({ start: Math.min(a, b), stop: Math.max(a, b) })),
    );

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...datasets), rows, async (dataset, request) => {
        const { columns } = await dataset.getData(request);
        const list = request instanceof Uint32Array ? [...request] : range(request.start, request.stop);
        for (const source of columns.keys()) {
          const array = denseIn(columns, source);
          expect([source, array.dtype, array.shape]).toEqual([source, 'int16', [list.length, ...SHAPE]]);
          expect([source, ...array.data]).toEqual([source, ...list.flatMap(rowOf)]);
        }
      }),
      { numRuns: 30 },
    );
    const one = await datasets[0]?.getData(7);
    expect(one?.columns.get('tall')).toEqual({ dtype: 'int16', shape: SHAPE, data: Int16Array.from(rowOf(7)) });
    for (const dataset of datasets) await dataset.close();
  });

  test(`what was never written has the fill value (${file})`, async () => {
    const dataset = await H5Dataset.open(join(goldens, file), { whichSets: ['all'], sources: ['part', 'never'] });

    const { columns } = await dataset.getData({ start: 3, stop: 6 });

    const written = (row: number): number[] => rowOf(row).map((value, i) => (i % 5 === 0 ? 9 : value));
    expect([...denseIn(columns, 'part').data]).toEqual([...Array(ROW).fill(9), ...written(4), ...written(5)]);
    expect([...denseIn(columns, 'never').data]).toEqual(Array(3 * ROW).fill(9));
    await dataset.close();
  });
}

test('a source whose chunks, put side by side, take more than 4 GiB is read in parts', async () => {
  const path = join(await temporaryFolder(), 'huge.hdf5');
  await copyFile(join(goldens, 'huge.hdf5'), path);
  const library = await hdf5Library();
  const file = new library.File(path, 'a');
  const block = Uint8Array.from({ length: 2 * 64 * 64 }, (_, i) => i % 251);
  const tall = file.get('tall');
  if (!(tall instanceof library.Dataset)) throw new Error('there is no tall');
  tall.write_slice([[4320, 4322], [], [960, 1024], [960, 1024]], block);
  file.close();
  const dataset = await H5Dataset.open(path, { whichSets: ['all'], sources: ['tall'], chunkCacheBytes: 0 });

  const { data } = denseIn((await dataset.getData(4321)).columns, 'tall');

  if (!(data instanceof Uint8Array)) throw new Error('tall is not uint8');
  const corner = Array.from({ length: 64 }, (_, y) => data.subarray((960 + y) * 1024 + 960, (961 + y) * 1024));
  expect(Buffer.concat(corner).equals(block.subarray(64 * 64))).toBe(true);
  expect(data.subarray(0, 960 * 1024).every((byte) => byte === 0)).toBe(true);
  await dataset.close();
});

test('what would take too much memory is refused before it is read, with its size', async () => {
  const open = (source: string): Promise<H5Dataset> =>
    H5Dataset.open(join(goldens, 'huge.hdf5'), { whichSets: ['all'], sources: [source] });

  await expect(open('packed')).rejects.toThrow(
    /its chunks take 327680000 bytes, and compressed ones up to 268435456 can be read; .* h5repack -l packed:CHUNK=1x1x256x256/,
  );
  await expect(open('wide')).rejects.toThrow(/one example of it takes 1099511627776 bytes/);
});

test.skipIf(constants.MAX_LENGTH >= 5000 * 2 ** 20)(
  'a batch that no array can hold is refused with its size',
  async () => {
    const dataset = await H5Dataset.open(join(goldens, 'huge.hdf5'), { whichSets: ['all'], sources: ['tall'] });

    await expect(dataset.getData({ start: 0, stop: 5000 })).rejects.toThrow(
      /\(5000, 1, 1024, 1024\) of tall take 5242880000 bytes, .* ask for fewer rows/,
    );
    await dataset.close();
  },
);

for (const [source, why] of [
  ['unsigned', /elements are uint64, .* write it as one of them/],
  ['half', /elements are float16/],
  ['brain', /elements are bfloat16/],
  ['text', /elements are text of 5 bytes, several in a row/],
  ['complex', /elements are compound of r, i/],
  ['narrow', /elements are 24-bit integer in 4 bytes/],
  ['shifted', /elements are unsigned 12-bit integer in 2 bytes from bit 4 on/],
  ['odd', /elements are 32-bit float in 4 bytes, not of IEEE 754/],
  ['bits', /elements are bitfield8/],
  ['colour', /elements are enumeration of int8/],
  ['pairs', /elements are compound of x, y/],
  [
    'lzf',
    /went through lzf \(filter 32000\), which this build does not have; write it anew with h5repack -f lzf:GZIP=4/,
  ],
  ['elsewhere', /its data are in other files/],
  ['virtual', /its data are in other files/],
  ['linked', /linked is a link to the file other\.hdf5, and a dataset is one file/],
  ['scalar', /it is a scalar, without examples/],
] as const) {
  test(`what cannot be read is refused by its name, with a remedy: ${source}`, async () => {
    const error = await H5Dataset.open(join(goldens, 'types.hdf5'), { whichSets: ['all'], sources: [source] }).then(
      (dataset) => dataset.close(),
      (thrown: unknown) => thrown,
    );

    expect(error).toBeInstanceOf(UnsuitableDataset);
    expect(String(error)).toMatch(why);
    expect(String(error)).not.toMatch(/damaged/);
  });
}

test('what lies beside sources that cannot be read is read', async () => {
  const sources = ['good', 'double'];
  const dataset = await H5Dataset.open(join(goldens, 'types.hdf5'), { whichSets: ['all'], sources });

  const { columns } = await dataset.getData({ start: 0, stop: 2 });

  expect([...denseIn(columns, 'good').data]).toEqual([0, 7, 14, 21]);
  expect(denseIn(columns, 'double').data).toEqual(Float64Array.of(0, 7, 14, 21));
  await dataset.close();
});

test('a filter that is not there is named, also one that this machine has never heard of', async () => {
  await expect(H5Dataset.open(join(goldens, 'blosc.hdf5'), { whichSets: ['all'] })).rejects.toThrow(
    /x cannot be read: its chunks went through blosc \(filter 32001\)/,
  );
});

for (const kind of ['big', 'floats', 'words', 'plain', 'dense']) {
  test(`a split attribute of other types than Fuel's is read by its types: ${kind}`, async () => {
    const path = join(goldens, `split-${kind}.hdf5`);

    expect((await describeH5Dataset(path)).splits).toEqual([
      { name: 'all', sources: ['x'], examplesCount: EXAMPLES, ranges: { x: { start: 0, stop: EXAMPLES } } },
    ]);
  });
}

test('a split attribute that does not serve is refused, naming the member', async () => {
  await expect(describeH5Dataset(join(goldens, 'split-wrong.hdf5'))).rejects.toThrow(
    /split attribute that is not Fuel's: its member start does not serve: it is text of 8 bytes and no whole number/,
  );
});

test('one of several files that are a dataset together is refused as that', async () => {
  await expect(describeH5Dataset(join(goldens, 'family-0.hdf5'))).rejects.toThrow(
    /is one of several files that are a dataset together \(HDF5's driver NCSAfami\); put them into one/,
  );
});

function rowOf(row: number): number[] {
  return range(row * ROW, (row + 1) * ROW).map((i) => (i * 7) % 251);
}

function range(start: number, stop: number): number[] {
  return Array.from({ length: stop - start }, (_, i) => start + i);
}
