import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { exampleArray, type ExampleValue } from './example-array.js';

test('an example is an array, or numbers that make one', () => {
  const array = ndarray('uint8', [1, 2], Uint8Array.of(1, 2));

  expect(exampleArray(array, 'x')).toEqual(array);
  expect(exampleArray(1.5, 'x')).toEqual(ndarray('float64', [], Float64Array.of(1.5)));
  expect(exampleArray(true, 'x')).toEqual(ndarray('bool', [], Uint8Array.of(1)));
  expect(exampleArray(-(2n ** 63n), 'x')).toEqual(ndarray('int64', [], BigInt64Array.of(-(2n ** 63n))));
  expect(exampleArray('é!', 'x')).toEqual(ndarray('uint8', [3], Uint8Array.of(0xc3, 0xa9, 0x21)));
  expect(exampleArray([3, 0.5], 'x')).toEqual(ndarray('float64', [2], Float64Array.of(3, 0.5)));
});

test.each([
  ['float32', Float32Array.of(1)],
  ['float64', Float64Array.of(1)],
  ['int8', Int8Array.of(1)],
  ['int16', Int16Array.of(1)],
  ['int32', Int32Array.of(1)],
  ['int64', BigInt64Array.of(1n)],
  ['uint8', Uint8Array.of(1)],
  ['uint16', Uint16Array.of(1)],
  ['uint32', Uint32Array.of(1)],
] as const)('a typed array keeps its dtype: %s', (dtype, data) => {
  const array = exampleArray(data, 'x');
  expect(array).toEqual({ dtype, shape: [1], data });
  // Its buffer may be given again, for the next example.
  expect(array.data.buffer).not.toBe(data.buffer);
  expect(exampleArray(array, 'x').data.buffer).not.toBe(array.data.buffer);
});

test.each([
  [null, /words: an example is \[object Null\]/],
  [[1, 'a'], /words: an example is \[object Array\]/],
  [[[1], [2]], /words: .*give arrays \(ndarray\)/],
  [2n ** 63n, /words: the example 9223372036854775808 does not fit into int64/],
])('what no array can be made of is refused: %s', (value, words) => {
  expect(() => exampleArray(value as ExampleValue, 'words')).toThrow(words);
});
