import { closeSync, openSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import type { Column } from '../arrays/column.js';
import { stackRows, takeRow, takeRows } from '../arrays/rows.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { describeH5Dataset } from './describe.js';
import { writeH5Dataset } from './h5-writer.js';
import { hdf5Library } from './library.js';
import { headerMessages, MESSAGE } from './object-header.js';
import { Spool } from './spool.js';

const DTYPES = ['bool', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'] as const;

test('rows of several shapes come back as they were, of every element type', async () => {
  const path = join(await temporaryFolder(), 'a.hdf5');
  const columns = DTYPES.map((dtype) => [dtype, rows(dtype, 40)] as const);
  await writeH5Dataset(path, async (writer) => {
    await writer.append(Object.fromEntries(columns));
    return { all: Object.fromEntries(DTYPES.map((name) => [name, { start: 0, stop: 40 }])) };
  });

  for (const loadInMemory of [false, true]) {
    const dataset = await H5Dataset.open(path, { whichSets: ['all'], loadInMemory });
    const batch = await dataset.getData({ start: 0, stop: 40 });
    const picked = await dataset.getData(Uint32Array.of(39, 4, 4));
    for (const [name, column] of columns) {
      expect(batch.columns.get(name)).toEqual(column);
      expect(picked.columns.get(name)).toEqual(takeRows(column, Uint32Array.of(39, 4, 4)));
    }
    await dataset.close();
  }
});

test("HDF5's own library finds the rows", async () => {
  const path = join(await temporaryFolder(), 'a.hdf5');
  const column = rows('int32', 40);
  await writeH5Dataset(path, async (writer) => {
    await writer.append({ x: column });
    return { all: { x: { start: 0, stop: 40 } } };
  });

  const { File, Dataset } = await hdf5Library();
  const file = new File(path, 'r');
  const x = file.get('x');
  const found = x instanceof Dataset ? x.slice([[0, 40]]) : null;
  file.close();
  const flat = Array.from({ length: 40 }, (_, row) => takeRow(column, row).data);
  expect(found).toEqual(flat);
});

test('the rows may come so many at a time, or so, through memory or files, arrays among them: the bytes are the same', async () => {
  const folder = await temporaryFolder();
  const count = 300;
  const large = stackRows(
    Array.from({ length: count }, (_, i) =>
      ndarray('uint16', [i % 3, 11_000], new Uint16Array((i % 3) * 11_000).fill(i)),
    ),
    'x',
  );
  const written = async (name: string, atOnce: number): Promise<Buffer> => {
    const path = join(folder, name);
    await writeH5Dataset(
      path,
      async (writer) => {
        for (let start = 0; start < count; start += atOnce) {
          const stop = Math.min(count, start + atOnce);
          await writer.append({ x: takeRows(large, { start, stop }) });
        }
        return { all: { x: { start: 0, stop: count } } };
      },
      { ragged: ['x'], axisLabels: { x: ['batch', 'time', 'feature'] } },
    );
    return readFile(path);
  };

  const one = await written('a.hdf5', 1);
  expect((await written('b.hdf5', 101)).equals(one)).toBe(true);

  expect((await describeH5Dataset(join(folder, 'a.hdf5'))).sources).toEqual([
    { name: 'x', dtype: 'uint16', shape: [count], ragged: true, axisLabels: ['batch', 'time', 'feature'] },
  ]);
  const dataset = await H5Dataset.open(join(folder, 'a.hdf5'), { whichSets: ['all'] });
  for (const row of [0, 1, 298, 299])
    expect((await dataset.getData(row)).columns.get('x')).toEqual(takeRow(large, row));
  await dataset.close();
});

test('2.2-11, 2.2-12, 2.2-13, 2.2-14, 2.2-15: the messages that describe a ragged source, its shapes and their labels are those of h5py', async () => {
  const path = join(await temporaryFolder(), 'a.hdf5');
  const golden = fileURLToPath(new URL('../../test/goldens/ragged-fuel.hdf5', import.meta.url));
  const read = await H5Dataset.open(golden, { whichSets: ['train', 'test'], loadInMemory: true });
  const { columns } = await read.getData({ start: 0, stop: 100 });
  await writeH5Dataset(
    path,
    async (writer) => {
      await writer.append(Object.fromEntries(columns));
      const range = (start: number, stop: number) => ({ image_features: { start, stop }, targets: { start, stop } });
      return { train: range(0, 90), test: range(90, 100) };
    },
    { axisLabels: { image_features: ['batch', 'channel', 'height', 'width'], targets: ['batch', 'index'] } },
  );

  for (const name of ['image_features', 'image_features_shapes', 'image_features_shape_labels']) {
    expect([name, await messagesOf(path, name)]).toEqual([name, await messagesOf(golden, name)]);
  }
});

test('what is changed on its way out of a spool is changed once, in memory and in a file', async () => {
  const folder = await temporaryFolder();
  const spool = new Spool(join(folder, 'spool'));
  const part = Buffer.alloc(3 << 20).fill(1);
  for (let time = 0; time < 4; time += 1) await spool.add(part);
  const target = await open(join(folder, 'target'), 'w+');
  await spool.moveTo(target, 5, (piece) => {
    for (let at = 0; at < piece.length; at += 16) piece.writeUInt8(piece.readUInt8(at) + 1, at);
  });
  await target.close();

  const moved = await readFile(join(folder, 'target'));
  const expected = Buffer.alloc(4 * part.length, Buffer.from([2, ...Array(15).fill(1)]));
  expect(moved.subarray(5).equals(expected)).toBe(true);
});

/** What the header of a dataset says, but for where things lie in the file. */
async function messagesOf(path: string, name: string): Promise<string[]> {
  const { File, Module: module } = await hdf5Library();
  const file = new File(path, 'r');
  const descriptor = openSync(path, 'r');
  const reference = Buffer.from(module.create_object_reference(file.file_id, `/${name}`));
  const messages = headerMessages(descriptor, 0, Number(reference.readBigUInt64LE()));
  closeSync(descriptor);
  file.close();
  return messages.flatMap(({ type, content }) => told(type, content)).toSorted();
}

function told(type: number, content: Buffer): string[] {
  if (type === MESSAGE.nil || type === MESSAGE.continuation) return [];
  const text = content.toString('latin1');
  // Version, class and size of the layout without its address; attributes without the one reference that is their value.
  if (type === MESSAGE.layout) return [`layout ${content.toString('hex', 0, 2)} ${content.toString('hex', 10)}`];
  const refers = /DIMENSION_LABELS|DIMENSION_LIST|REFERENCE_LIST/.test(text);
  return [`${type} ${content.toString('hex', 0, content.length - (refers ? 16 : 0))}`];
}

/** Rows of two axes, some of them empty, and a few of more than a collection of the heap holds. */
function rows(dtype: DType, count: number): Column {
  return stackRows(
    Array.from({ length: count }, (_, i): NdArray => {
      const row = ndarray(dtype, [(i * 7) % 11, i % 17 === 16 ? 900 : 1 + (i % 5)]);
      for (let k = 0; k < sizeOf(row.shape); k += 1) {
        const value = (i * 31 + k) % 127;
        if (row.data instanceof BigInt64Array) row.data[k] = BigInt(value) - 50n;
        else row.data[k] = dtype === 'bool' ? value % 2 : value;
      }
      return row;
    }),
    dtype,
  );
}
