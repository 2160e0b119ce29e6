import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ndarray, type NdArray, sizeOf } from '../ndarray.js';
import { FileStore } from '../store/file-store.js';
import type { ReadOptions } from '../store/object-store.js';
import { InvalidSafetensors } from './header.js';
import { openSafetensors, type SafetensorsFile, TensorAbsent } from './safetensors-file.js';
import { encodeSafetensors, readSafetensors, writeSafetensors } from './safetensors.js';

const GOLDEN = path.join(import.meta.dirname, '../../test/goldens/every-dtype.safetensors');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'safetensors-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

const MATRIX = ndarray(
  'int32',
  [5, 2],
  Int32Array.from({ length: 10 }, (_, index) => index),
);

test('a file of the Python library is read tensor by tensor, by path, handle, object and from memory', async () => {
  const { tensors, metadata } = await readSafetensors(GOLDEN);
  const store = new FileStore(path.join(folder, 'store'));
  await store.probe();
  await store.put('a/b.safetensors', { path: GOLDEN });
  const handle = await open(GOLDEN, 'r');
  for (const source of [GOLDEN, handle, { store, key: 'a/b.safetensors' }, await readFile(GOLDEN)]) {
    const file = await openSafetensors(source);
    expect(file.metadata).toEqual(metadata);
    expect([...file.tensors.keys()]).toEqual([...tensors.keys()]);
    for (const [name, tensor] of [...tensors].toReversed()) {
      expect(file.tensors.get(name)).toEqual({ dtype: tensor.dtype, shape: tensor.shape });
      expect(await file.read(name)).toEqual(tensor);
    }
    await file.close();
  }
  expect((await handle.stat()).size).toBeGreaterThan(0);
  await handle.close();
});

test('rows [start, stop) are those of the whole tensor, for any shape and any place', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 3 }),
      fc.nat(),
      fc.nat(),
      async (shape, a, b) => {
        const rows = shape[0] ?? 0;
        const [start = 0, stop = 0] = [a % (rows + 1), b % (rows + 1)].toSorted((one, other) => one - other);
        const tensor = ndarray(
          'uint16',
          shape,
          Uint16Array.from({ length: sizeOf(shape) }, (_, index) => index),
        );
        const file = await openSafetensors(
          encodeSafetensors(
            new Map<string, NdArray>([
              ['before', MATRIX],
              ['x', tensor],
            ]),
          ),
        );
        const row = sizeOf(shape.slice(1));
        expect(await file.readRows('x', start, stop)).toEqual(
          ndarray('uint16', [stop - start, ...shape.slice(1)], tensor.data.slice(start * row, stop * row)),
        );
      },
    ),
    { seed: 7, numRuns: 100 },
  );
});

test('a tensor is given in blocks of rows, each an array of its own', async () => {
  const file = await openSafetensors(encodeSafetensors(new Map([['x', MATRIX]])));
  const blocks = await collect(file.blocks('x', { rows: 2 }));
  expect(blocks.map(({ shape, data }) => [shape, [...data]])).toEqual([
    [
      [2, 2],
      [0, 1, 2, 3],
    ],
    [
      [2, 2],
      [4, 5, 6, 7],
    ],
    [
      [1, 2],
      [8, 9],
    ],
  ]);
  expect((await collect(file.blocks('x', { start: 1, stop: 4, rows: 9 }))).map(({ shape }) => shape)).toEqual([[3, 2]]);
  expect(await collect(file.blocks('x'))).toEqual([MATRIX]);
});

test('no byte of an object is read but the header and the rows that are asked for', async () => {
  const store = new RangesSeen(path.join(folder, 'ranges'));
  const { asked } = store;
  await store.probe();
  const rows = ndarray('float64', [1000, 8]);
  rows.data.set([1.5], 500 * 8);
  await store.put('x', encodeSafetensors(new Map([['x', rows]])));
  const file = await openSafetensors({ store, key: 'x' });
  const headerBytes = asked.reduce((sum, [start, end]) => sum + end - start, 0);
  expect(headerBytes).toBeLessThan(100);
  asked.length = 0;
  expect((await file.readRows('x', 500, 502)).data[0]).toBe(1.5);
  expect(asked).toEqual([[headerBytes + 500 * 64, headerBytes + 502 * 64]]);
});

test('names, rows and objects that there are not are refused, with those that there are', async () => {
  const file = await openSafetensors(
    encodeSafetensors(
      new Map<string, NdArray>([
        ['x', MATRIX],
        ['s', ndarray('int8', [])],
      ]),
    ),
  );
  await expect(file.read('y')).rejects.toThrow(TensorAbsent);
  await expect(file.read('y')).rejects.toThrow('bytes in memory: there is no tensor "y"; the file has "x", "s"');
  await expect(file.readRows('x', 4, 6)).rejects.toThrow(
    'of shape (5, 2) has no rows [4, 6); give 0 <= start <= stop <= 5',
  );
  await expect(file.readRows('x', 2, 1)).rejects.toThrow('has no rows [2, 1)');
  await expect(file.readRows('x', 0.5, 1)).rejects.toThrow('has no rows [0.5, 1)');
  await expect(file.readRows('s', 0, 1)).rejects.toThrow('"s" is a scalar, which has no rows; read all of it');
  await expect(collect(file.blocks('x', { rows: 0 }))).rejects.toThrow('blocks of 0 rows');
  const store = new FileStore(path.join(folder, 'empty'));
  await store.probe();
  await expect(openSafetensors({ store, key: 'gone' })).rejects.toThrow(
    /^object gone of file:.* is not there; check the key/,
  );
});

test('a file that ends while it is read is refused', async () => {
  const target = path.join(folder, 'shrinks.safetensors');
  await writeFile(target, encodeSafetensors(new Map([['x', MATRIX]])));
  const file = await openSafetensors(target);
  await truncate(target, 90);
  await expect(file.read('x')).rejects.toThrow(InvalidSafetensors);
  await expect(file.read('x')).rejects.toThrow(`${target}: the file ended at byte 90 while it was read`);
  await file.close();
});

test('a bool that is neither 0 nor 1 is refused with its place in the tensor, in rows too', async () => {
  const bytes = encodeSafetensors(new Map([['x', ndarray('bool', [4, 2])]]));
  bytes[bytes.byteLength - 1] = 3;
  const file = await openSafetensors(bytes);
  await expect(file.readRows('x', 3, 4)).rejects.toThrow('tensor "x" of bool has the byte 3 at 7');
  expect((await file.readRows('x', 0, 3)).data).toEqual(new Uint8Array(6));
});

test('a streamed tensor is written block by block, with the bytes of the whole one', async () => {
  const source = await openSafetensors(GOLDEN);
  const tensors = new Map<string, NdArray | ReturnType<SafetensorsFile['streamed']>>();
  for (const [name, { shape }] of source.tensors) {
    tensors.set(name, shape.length === 0 ? await source.read(name) : source.streamed(name));
  }
  const target = path.join(folder, 'copy.safetensors');
  const { sizeBytes } = await writeSafetensors(target, tensors, source.metadata);
  const golden = await readFile(GOLDEN);
  expect((await readFile(target)).equals(golden)).toBe(true);
  expect(sizeBytes).toBe(golden.byteLength);
  await source.close();
});

test('a streamed tensor larger than what is held of it is written and read in bounded memory', async () => {
  const [rows, columns, blockRows] = [4096, 8192, 64];
  const target = path.join(folder, 'large.safetensors');
  let most = 0;
  const watched = (): number => (most = Math.max(most, process.memoryUsage().arrayBuffers - before));
  function* blocks(): Generator<NdArray> {
    for (let first = 0; first < rows; first += blockRows) {
      watched();
      yield ndarray('float32', [blockRows, columns], new Float32Array(blockRows * columns).fill(first));
    }
  }
  const before = process.memoryUsage().arrayBuffers;
  await writeSafetensors(target, new Map([['x', { dtype: 'float32', shape: [rows, columns], blocks }]]));
  const file = await openSafetensors(target);
  let first = 0;
  for await (const block of file.blocks('x', { rows: blockRows })) {
    expect(block.data.at(-1)).toBe(first);
    first += blockRows;
    watched();
  }
  expect(first).toBe(rows);
  await file.close();
  await rm(target);
  // Of 128 MiB; what is garbage may not have been collected yet.
  expect(most).toBeLessThan(100 << 20);
});

test.each([
  ['too few rows', [4, 2], [MATRIX.data.subarray(0, 4)], 'was to have 4 rows but its blocks have 2'],
  ['too many rows', [1, 2], [MATRIX.data.subarray(0, 4)], 'was to have 1 rows but its blocks have more'],
  [
    'rows of another shape',
    [2, 3],
    [MATRIX.data.subarray(0, 4)],
    'rows of shape (3) but one is of int32 with shape (2, 2)',
  ],
])('a streamed tensor of %s is refused, and no file is left', async (_, shape, blocks, message) => {
  const lying = path.join(folder, 'lying');
  await mkdir(lying, { recursive: true });
  const tensor = {
    dtype: 'int32',
    shape,
    blocks: () => blocks.map((data) => ({ dtype: 'int32', shape: [2, 2], data }) as const),
  } as const;
  await expect(writeSafetensors(path.join(lying, 'x'), new Map([['x', tensor]]))).rejects.toThrow(message);
  expect(await readdir(lying)).toEqual([]);
});

/** A store that notes which bytes are asked of it. */
class RangesSeen extends FileStore {
  readonly asked: [number, number][] = [];

  override openRead(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { start = 0, end = Infinity } = options.range ?? {};
    this.asked.push([start, end]);
    return super.openRead(key, options);
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
