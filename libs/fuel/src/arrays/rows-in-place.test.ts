import { ndarray, type NdArray, uninitialized } from '@longrun/serialization';
import { expect, test } from 'vitest';
import type { Column } from './column.js';
import { RowsInPlace } from './rows-in-place.js';
import { stackRows } from './rows.js';

/** Rows filled with their numbers, each of its shape. */
function made(shapes: readonly (readonly number[])[], ownAt = -1): { column: Column; rows: NdArray[]; asked: number } {
  let asked = 0;
  const inPlace = new RowsInPlace(shapes.length, (dtype, shape) => {
    asked += 1;
    return uninitialized(dtype, shape);
  });
  const rows = shapes.map((shape, row) => {
    const array = row === ownAt ? ndarray('float32', shape) : inPlace.memoryOf(row)('float32', shape);
    array.data.fill(row + 1);
    return array;
  });
  return { column: inPlace.column(rows, 'x'), rows, asked };
}

const bufferOf = (column: Column): unknown => ('offsets' in column ? column.values : column).data.buffer;

test('rows of one shape lie where they were made, in one array', () => {
  const { column, rows, asked } = made([
    [2, 3],
    [2, 3],
    [2, 3],
  ]);

  expect(column).toEqual(stackRows(rows, 'x'));
  expect(column).toMatchObject({ shape: [3, 2, 3] });
  expect(rows.map(({ data }) => data.buffer === bufferOf(column))).toEqual([true, true, true]);
  expect(asked).toBe(1);
});

test.each([
  [
    'differ in shape',
    [
      [2, 3],
      [1, 3],
      [2, 3],
    ],
    -1,
  ],
  [
    'were made elsewhere',
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
    1,
  ],
])('rows that %s are put together', (_, shapes, ownAt) => {
  const { column, rows } = made(shapes, ownAt);

  expect(column).toEqual(stackRows(rows, 'x'));
  expect(rows.map(({ data }) => data.buffer === bufferOf(column))).toEqual([false, false, false]);
});

test('a first row that is large does not have as much taken for each of the others', () => {
  const large = 2 ** 16 + 1;
  const inPlace = new RowsInPlace(2 ** 13, () => {
    throw new Error('too much');
  });

  expect(inPlace.memoryOf(0)('uint8', [large]).data).toHaveLength(large);
});
