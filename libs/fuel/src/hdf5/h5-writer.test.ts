import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ndarray, type DType, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { denseIn, type Column } from '../arrays/column.js';
import { stackRows } from '../arrays/rows.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import type { SplitRange, SplitsToWrite } from './dataset-to-write.js';
import { describeH5Dataset } from './describe.js';
import type { H5Appender } from './h5-appender.js';
import { writeH5Dataset } from './h5-writer.js';

const DTYPES = ['bool', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'] as const;

test('arrays of every element type come back as they were', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'all.hdf5');
  const arrays = new Map(DTYPES.map((dtype) => [`of_${dtype}`, counting(dtype, [5, 3])]));
  const range = { start: 1, stop: 5 };
  await writeH5Dataset(path, async (writer) => {
    await writer.append(Object.fromEntries(arrays));
    return { all: Object.fromEntries([...arrays.keys()].map((name) => [name, range])) };
  });

  const dataset = await H5Dataset.open(path, { whichSets: ['all'] });
  const batch = await dataset.getData({ start: 0, stop: 4 });

  for (const [name, array] of arrays) {
    expect(batch.columns.get(name)).toEqual({ ...array, shape: [4, 3], data: array.data.slice(3) });
  }
  await dataset.close();
});

test('rows may come so many at a time, or so, through memory or files: the bytes are the same, also at another time', async () => {
  const folder = await temporaryFolder();
  // Two MiB a row: the spools keep four in memory.
  const row = 1 << 20;
  const values = Uint16Array.from({ length: 7 * row }, (_, i) => i);
  const written = async (name: string, counts: readonly number[]): Promise<Buffer> => {
    const path = join(folder, name);
    const fill = async (writer: H5Appender): Promise<Record<string, Record<string, SplitRange>>> => {
      let start = 0;
      for (const count of counts) {
        const x = ndarray('uint16', [count, row], values.slice(start * row, (start + count) * row));
        await writer.append({ x, y: ndarray('int8', [count]) });
        // What was appended may be used again.
        x.data.fill(0);
        start += count;
        expect(await readdir(folder)).not.toContain(name);
      }
      return { all: { x: { start: 0, stop: start }, y: { start: 0, stop: start } } };
    };
    await writeH5Dataset(path, fill, { command: 'longrun convert x' });
    return readFile(path);
  };
  const first = await written('a.hdf5', [1, 1, 1, 1, 1, 1, 1]);
  // HDF5 notes times in seconds.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const second = await written('b.hdf5', [0, 3, 4]);

  const dataset = await H5Dataset.open(join(folder, 'b.hdf5'), { whichSets: ['all'], sources: ['x'] });
  const { data } = denseIn((await dataset.getData({ start: 0, stop: 7 })).columns, 'x');
  expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(values.buffer))).toBe(0);
  expect(second.equals(first)).toBe(true);
  expect((await readdir(folder)).toSorted()).toEqual(['a.hdf5', 'b.hdf5']);
  await dataset.close();
});

test('sources may have different numbers of rows, or none', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.hdf5');
  await writeH5Dataset(path, async (writer) => {
    await writer.append({ some: counting('uint8', [3]), none: ndarray('uint8', [3, 0]) });
    await writer.append({ some: counting('uint8', [2]) });
    await writer.append({ empty: ndarray('uint8', [0, 3]) });
    return {
      all: { some: { start: 1, stop: 5 } },
      none: { none: { start: 0, stop: 3 }, empty: { start: 0, stop: 0 } },
    };
  });

  expect((await describeH5Dataset(path)).sources.map(({ name, shape }) => [name, ...shape])).toEqual([
    ['empty', 0, 3],
    ['none', 3, 0],
    ['some', 5],
  ]);
  const some = await H5Dataset.open(path, { whichSets: ['all'] });
  expect(denseIn((await some.getData({ start: 0, stop: 4 })).columns, 'some').data).toEqual(
    Uint8Array.of(250, 251, 249, 250),
  );
  await some.close();
  const none = await H5Dataset.open(path, { whichSets: ['none'], sources: ['none'] });
  expect(denseIn((await none.getData({ start: 0, stop: 2 })).columns, 'none')).toEqual(ndarray('uint8', [2, 0]));
  await none.close();
});

test('names are kept that are not ASCII', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.hdf5');
  await writeH5Dataset(path, async (writer) => {
    await writer.append({ ж: ndarray('uint8', [1], Uint8Array.of(5)) });
    return { größe: { ж: { start: 0, stop: 1, comment: '注' } } };
  });

  const dataset = await H5Dataset.open(path, { whichSets: ['größe'] });
  expect(denseIn((await dataset.getData(0)).columns, 'ж').data).toEqual(Uint8Array.of(5));
  await dataset.close();
});

const x = counting('uint8', [4, 3]);
const all = { all: { x: { start: 0, stop: 4 } } };
const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`split${i}`, all.all]));
// Two rows each.
const several = stackRows([counting('uint8', [1]), counting('uint8', [3])], 'x');
const vectors = stackRows([counting('uint8', [1, 2]), counting('uint8', [3, 2])], 'x');
type Fill = Parameters<typeof writeH5Dataset>[1];
const splits = (range: SplitRange, source = 'x', split = 'all'): Fill =>
  appending({ x }, { [split]: { [source]: range } });

for (const [what, fill, message] of [
  ['an error of the caller', failing, /the source is away/],
  ['arrays of different lengths', appending({ x, y: counting('uint8', [3]) }), /x 4, y 3; append as many of each/],
  ['a scalar', appending({ x: ndarray('uint8', []) }), /x is a scalar; what has rows has at least one axis/],
  [
    'another shape',
    appendingBoth({ x }, { x: counting('uint8', [4, 2]) }),
    /uint8 \(2\) do not fit those before, of uint8 \(3\)/,
  ],
  ['another dtype', appendingBoth({ x }, { x: counting('int8', [4, 3]) }), /int8 \(3\) do not fit those before/],
  [
    'rows of several shapes after one',
    appendingBoth({ x }, { x: several }),
    /came after rows of one shape; say ragged: \['x'\]/,
  ],
  [
    'rows of other axes',
    appendingBoth({ x: several }, { x: vectors }),
    /uint8 with 2 axes do not fit those before, of uint8 with 1/,
  ],
  [
    'a source where shapes would be',
    appending({ x: several, x_shapes: vectors }),
    /there is a source x_shapes, where the shapes/,
  ],
  ['a name with a slash', appending({ 'x/y': x }), /"x\/y" cannot name a source/],
  ['the name of the group', appending({ '.': x }), /"\." cannot name a source/],
  ['a name with a NUL', appending({ 'x\0': x }), /cannot name a source/],
  ['half a character', appending({ '\ud800': x }), /cannot name a source/],
  ['too many axes', appending({ x: ndarray('uint8', Array(33).fill(1)) }), /33 axes, but HDF5 has 32/],
  ['an append that was not awaited', notAwaited, /the append before this one has not ended; await it/],
  ['a row that is not there', splits({ start: 0, stop: 5 }), /split all: row 5 of x does not exist; .* 4 rows/],
  ['a split that ends before it starts', splits({ start: 3, stop: 2 }), /after its stop/],
  ['a row in a list that is not there', splits({ start: 0, stop: 0, indices: [4] }), /row 4/],
  ['a source that is not there', splits({ start: 0, stop: 1 }, 'y'), /no source y; the sources are x/],
  ['a split without a name', splits({ start: 0, stop: 1 }, 'x', ''), /a split has no name/],
  ['a split that ends early', splits({ start: 0, stop: 1 }, 'x', 'a\0b'), /the name of a split is "a\\u0000b"/],
  ['a list that no name is for', splits({ start: 0, stop: 1, indices: [1] }, 'x', 'a/b'), /"a\/b_x_indices" cannot/],
  [
    'a list whose name is taken',
    appending({ x, all_x_indices: x }, { all: { x: { start: 0, stop: 0, indices: [1] } } }),
    /would be listed in all_x_indices, which is there; rename it/,
  ],
  ['more splits than the attribute holds', appending({ x }, many), /3000 pairs .* use fewer splits/],
  ['no splits', appending({ x }, {}), /there are no splits/],
] as const) {
  test(`${what}: refused; what was there stays, and nothing else`, async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.hdf5');
    await writeFile(path, 'what was there');

    await expect(writeH5Dataset(path, fill)).rejects.toThrow(message);

    expect(await readdir(folder)).toEqual(['a.hdf5']);
    expect(await readFile(path, 'utf8')).toBe('what was there');
  });
}

test('labels that do not fit are refused', async () => {
  const write = async (axisLabels: Record<string, string[]>, ragged: string[] = []): Promise<void> => {
    const path = join(await temporaryFolder(), 'a.hdf5');
    await writeH5Dataset(path, appending({ x }), { axisLabels, ragged });
  };

  await expect(write({ x: ['batch'] })).rejects.toThrow('x: there are 1 axis labels for 2 axes; give one for each');
  await expect(write({ y: ['batch'] })).rejects.toThrow('axisLabels: there is no source y, only x');
  await expect(write({}, ['y'])).rejects.toThrow('ragged: there is no source y, only x');
  await expect(write({ x: ['batch', 'a\0'] })).rejects.toThrow(/an axis label of x is "a\\u0000"/);
});

function appending(rows: Readonly<Record<string, Column>>, splitsToWrite: SplitsToWrite = all): Fill {
  return async (writer) => {
    await writer.append(rows);
    return splitsToWrite;
  };
}

function appendingBoth(...parts: readonly Readonly<Record<string, Column>>[]): Fill {
  return async (writer) => {
    for (const rows of parts) await writer.append(rows);
    return all;
  };
}

async function failing(writer: H5Appender): Promise<never> {
  // More than stays in memory.
  await writer.append({ x: ndarray('uint8', [5, 1 << 20]) });
  throw new Error('the source is away');
}

async function notAwaited(writer: H5Appender): Promise<SplitsToWrite> {
  await Promise.all([writer.append({ x }), writer.append({ x })]);
  return all;
}

function counting(dtype: DType, shape: readonly number[]): NdArray {
  const array = ndarray(dtype, shape);
  for (let i = 0; i < array.data.length; i += 1) {
    if (array.data instanceof BigInt64Array) array.data[i] = BigInt(i) - 7n;
    else array.data[i] = dtype === 'bool' ? i % 2 : i - 7;
  }
  return array;
}
