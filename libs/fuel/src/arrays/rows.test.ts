import { ndarray, sizeOf, type NdArray } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRagged, ragged, type Column } from './column.js';
import { joinRows, rowsOf, stackRows, takeRow, takeRows } from './rows.js';

const array = ndarray('int64', [4, 2], BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n));

test('rows are taken in the order asked for, and as often', () => {
  const taken = takeRows(array, Uint32Array.of(3, 0, 3));

  expect(taken).toEqual(ndarray('int64', [3, 2], BigInt64Array.of(6n, 7n, 0n, 1n, 6n, 7n)));
});

test('a range is copied, so that what was taken does not change with the array', () => {
  const source = ndarray('uint8', [3, 1], Uint8Array.of(1, 2, 3));
  const taken = takeRows(source, { start: 1, stop: 3 });
  source.data[1] = 9;

  expect(taken).toEqual(ndarray('uint8', [2, 1], Uint8Array.of(2, 3)));
});

test('an array that is a part of a larger buffer is read at its place', () => {
  const whole = Float32Array.of(9, 9, 1, 2, 3, 4);
  const part = ndarray('float32', [2, 2], whole.subarray(2));

  expect(takeRows(part, Uint32Array.of(1))).toEqual(ndarray('float32', [1, 2], Float32Array.of(3, 4)));
  expect(takeRow(part, 0)).toEqual(ndarray('float32', [2], Float32Array.of(1, 2)));
});

test('a row outside of the array is refused by its number', () => {
  expect(() => takeRows(array, Uint32Array.of(0, 4))).toThrow('Row 4 was asked for, but there are 4 rows');
  expect(() => takeRows(array, { start: 2, stop: 5 })).toThrow(RangeError);
  expect(() => takeRow(array, -1)).toThrow(RangeError);
  expect(() => takeRow(array, 0.5)).toThrow(RangeError);
});

test('examples are stacked, batches joined', () => {
  const example = takeRow(array, 1);

  expect(stackRows([example, takeRow(array, 0)], 'x')).toEqual(takeRows(array, Uint32Array.of(1, 0)));
  expect(joinRows([array, takeRows(array, Uint32Array.of(2))], 'x')).toEqual(
    takeRows(array, Uint32Array.of(0, 1, 2, 3, 2)),
  );
});

test('examples of different dtypes, or numbers of axes, do not make a batch', () => {
  const other = ndarray('int32', [2]);
  const image = ndarray('int64', [2, 1]);

  expect(() => stackRows([takeRow(array, 0), image], 'words')).toThrow(
    /words: .*int64 \(1, 2\) and int64 \(1, 2, 1\) cannot be put into one batch/,
  );
  expect(() => stackRows([takeRow(array, 0), other], 'words')).toThrow(/int64 \(1, 2\) and int32 \(1, 2\)/);
});

test('examples of several lengths are a ragged column, one of them is itself, and those of one length are an array', () => {
  const words = [[1, 2], [3], []].map((word) => ndarray('uint8', [word.length], Uint8Array.from(word)));
  const column = stackRows(words, 'words');

  expect(column).toEqual({
    values: ndarray('uint8', [3], Uint8Array.of(1, 2, 3)),
    offsets: Uint32Array.of(0, 2, 3, 3),
    shapes: ndarray('uint32', [3, 1], Uint32Array.of(2, 1, 0)),
  });
  expect(takeRow(column, 1)).toEqual(words[1]);
  expect(takeRows(column, Uint32Array.of(1, 1))).toEqual(ndarray('uint8', [2, 1], Uint8Array.of(3, 3)));
  const alike = ragged(
    ndarray('uint8', [4], Uint8Array.of(1, 2, 3, 4)),
    ndarray('uint32', [2, 1], Uint32Array.of(2, 2)),
  );
  expect(joinRows([alike], 'words')).toEqual(ndarray('uint8', [2, 2], Uint8Array.of(1, 2, 3, 4)));
  expect(joinRows([takeRows(column, new Uint32Array(0)), alike], 'words')).toEqual(joinRows([alike], 'words'));
  expect(() => takeRow(column, 3)).toThrow('Row 3 was asked for, but there are 3 rows');
});

test('rows are what they were, however they are stacked, taken and joined', () => {
  const examples = fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { minLength: 1, maxLength: 6 }).map((shapes) =>
    shapes.map((shape, at): NdArray => {
      const elements = Int32Array.from({ length: sizeOf(shape) }, (_, i) => 100 * at + i);
      return ndarray('int32', shape, elements);
    }),
  );
  const parts = (column: Column, cut: number): Column[] => {
    const rows = rowsOf(column, 'x');
    const at = Math.min(cut, rows);
    return [takeRows(column, { start: 0, stop: at }), takeRows(column, { start: at, stop: rows })];
  };

  fc.assert(
    fc.property(examples, fc.nat(6), fc.array(fc.nat(), { maxLength: 5 }), (rows, cut, picks) => {
      const column = stackRows(rows, 'x');
      const order = Uint32Array.from(picks, (pick) => pick % rows.length);
      const picked = takeRows(column, order);

      expect(rows.map((_, row) => takeRow(column, row))).toEqual(rows);
      expect(isRagged(column)).toBe(new Set(rows.map(({ shape }) => shape.join())).size > 1);
      expect(joinRows(parts(column, cut), 'x')).toEqual(column);
      expect([...order].map((_, row) => takeRow(picked, row))).toEqual([...order].map((row) => rows[row]));
    }),
  );
});
