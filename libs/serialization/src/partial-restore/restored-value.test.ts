import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { cast } from '../cast.js';
import { type NdArray, ndarray, sizeOf } from '../ndarray.js';
import type { RowBlocks } from '../safetensors/streamed-tensor.js';
import { restoredValue } from './restored-value.js';
import { tensorsInMemory, type TensorSource } from './tensor-source.js';

test('of the same shape and dtype is what the source has', async () => {
  const found = counted([2, 3]);

  expect(await restored(found, ndarray('float32', [2, 3]))).toEqual(found);
});

test('of another dtype is converted, a scalar too', async () => {
  const doubles = ndarray('float64', [2, 2], Float64Array.of(0.1, -2, 3, 1e300));

  expect(await restored(doubles, ndarray('float32', [2, 2]))).toEqual(cast(doubles, 'float32'));
  expect(await restored(ndarray('int32', [], Int32Array.of(7)), ndarray('float64', []))).toEqual(
    ndarray('float64', [], Float64Array.of(7)),
  );
  await expect(restored(ndarray('float32', [1], Float32Array.of(NaN)), ndarray('int64', [1]))).rejects.toThrow(
    'probe: "w" has NaN, which int64 cannot hold',
  );
});

test('of another shape has the corner that both have, and the rest as it was', async () => {
  const vocabulary = await restored(counted([3, 2]), ndarray('float32', [4, 3], new Float32Array(12).fill(-1)));

  expect([...vocabulary.data]).toEqual([0, 1, -1, 2, 3, -1, 4, 5, -1, -1, -1, -1]);
});

test('has each element of the corner in its place, whatever the shapes and blocks, and its present value is not written to', async () => {
  const shape = (axes: number) => fc.array(fc.nat({ max: 4 }), { minLength: axes, maxLength: axes });
  const shapes = fc.integer({ min: 1, max: 4 }).chain((axes) => fc.tuple(shape(axes), shape(axes)));
  await fc.assert(
    fc.asyncProperty(shapes, fc.integer({ min: 1, max: 3 }), async ([from, into], rows) => {
      const present = ndarray('float64', into);
      present.data.fill(-1);
      const value = await restored(counted(from), present, rows);
      expect(value.shape).toEqual(into);
      for (const [place, element] of value.data.entries()) {
        const index = indexOf(place, into);
        const within = index.every((at, axis) => at < (from[axis] ?? 0));
        expect(element).toBe(within ? placeOf(index, from) : -1);
      }
      expect(present.data.every((element) => element === -1)).toBe(true);
    }),
  );
});

test('asks for no more rows than it needs, and never for all where it copies blocks', async () => {
  const asked: string[] = [];
  const source = sourceOf(counted([100, 2]), 7, (what) => asked.push(what));

  await restoredValue(
    source,
    { name: 'w', ...facts(counted([100, 2]), ndarray('float32', [10, 2])) },
    ndarray('float32', [10, 2]),
  );

  expect(asked).toEqual(['blocks to 10', 'rows 0-7', 'rows 7-10']);
});

test('of a source that gives fewer rows than it said is refused', async () => {
  const source = { ...sourceOf(counted([4]), 4), async *blocks() {} };

  await expect(
    restoredValue(source, { name: '/w', ...facts(counted([4]), ndarray('float64', [4])) }, ndarray('float64', [4])),
  ).rejects.toThrow('probe: "w", for "/w", was to have 4 rows but gave 0');
});

async function restored(found: NdArray, present: NdArray, rows = 2): Promise<NdArray> {
  return restoredValue(sourceOf(found, rows), { name: 'w', ...facts(found, present) }, present);
}

function facts(found: NdArray, wanted: NdArray) {
  return { from: 'w', found, wanted };
}

/** Gives blocks of so many rows, and says what it was asked for. */
function sourceOf(w: NdArray, rows: number, onAsked: (what: string) => void = () => {}): TensorSource {
  const memory = tensorsInMemory(new Map([['w', w]]), 'probe');
  return {
    ...memory,
    read: async (name) => {
      onAsked('all');
      return memory.read(name);
    },
    async *blocks(name: string, options: RowBlocks = {}) {
      onAsked(`blocks to ${options.stop}`);
      let row = 0;
      for await (const block of memory.blocks(name, { ...options, rows })) {
        const count = block.shape[0] ?? 0;
        onAsked(`rows ${row}-${row + count}`);
        row += count;
        yield block;
      }
    },
  };
}

/** Each element is its place. */
function counted(shape: readonly number[]): NdArray<'float32'> {
  return ndarray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, place) => place),
  );
}

function indexOf(place: number, shape: readonly number[]): number[] {
  return shape.map((dimension, axis) => Math.floor(place / sizeOf(shape.slice(axis + 1))) % dimension);
}

function placeOf(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((place, at, axis) => place + at * sizeOf(shape.slice(axis + 1)), 0);
}
