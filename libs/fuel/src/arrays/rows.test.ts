import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { joinRows, stackRows, takeRow, takeRows } from './rows.js';

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

test('examples of different shapes or dtypes do not make a batch', () => {
  const long = ndarray('int64', [3]);
  const other = ndarray('int32', [2]);

  expect(() => stackRows([takeRow(array, 0), long], 'words')).toThrow(/words: .*int64 \(2\) and int64 \(3\).*pad/);
  expect(() => stackRows([takeRow(array, 0), other], 'words')).toThrow(/int64 \(2\) and int32 \(2\)/);
});
