import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import {
  bytesOfText,
  denseIn,
  denseOf,
  dtypeOf,
  ragged,
  shapeOfRow,
  shownColumn,
  textOf,
  withElements,
} from './column.js';

const column = ragged(
  ndarray('int16', [5], Int16Array.of(1, 2, 3, 4, 5)),
  ndarray('uint32', [3, 2], Uint32Array.of(1, 2, 0, 7, 3, 1)),
);

test('rows lie one after the other, each with a shape of its own', () => {
  expect(column.offsets).toEqual(Uint32Array.of(0, 2, 2, 5));
  expect([0, 1, 2].map((row) => shapeOfRow(column, row))).toEqual([
    [1, 2],
    [0, 7],
    [3, 1],
  ]);
  expect(dtypeOf(column)).toBe('int16');
  expect(shownColumn(column)).toBe('int16 (3, ragged, ragged)');
});

test('shapes that do not fit the elements are refused', () => {
  const values = ndarray('int16', [5]);
  expect(() => ragged(values, ndarray('uint32', [1, 1], Uint32Array.of(4)))).toThrow(
    'ragged: the shapes have 4 elements together, but values has 5; give one that fits the other',
  );
  expect(() => ragged(values, ndarray('uint32', [5]))).toThrow(/shapes has shape \(5\); give \(rows, axes\)/);
  expect(() => ragged(ndarray('int16', [1, 5]), ndarray('uint32', [1, 1]))).toThrow(/as one vector/);
});

test('elements are changed where they are', () => {
  const changed = withElements(column, (elements) => ndarray('float32', elements.shape));

  expect(changed).toEqual({ ...column, values: ndarray('float32', [5]) });
});

test('an array is what there is no other shape in; a ragged column is none, and says how to make one of it', () => {
  const array = ndarray('uint8', [2, 3]);
  expect(denseOf(array, 'x')).toBe(array);
  expect(() => denseOf(column, 'MLP: the source x')).toThrow(
    'MLP: the source x is ragged: its rows differ in shape, as (1, 2) and (0, 7), and an array has one; ' +
      'pad them (Padding), or crop them to one shape (Mapping)',
  );
  expect(() => denseIn(new Map([['x', array]]), 'y', 'Mapping')).toThrow(
    'Mapping: there is no source y; the sources are x',
  );
});

test('text is the bytes of its UTF-8', () => {
  expect(textOf(bytesOfText('Größe 🙂'))).toBe('Größe 🙂');
  expect(() => textOf(ndarray('uint8', [1], Uint8Array.of(0xff)))).toThrow(TypeError);
  expect(() => textOf(ndarray('int8', [1]))).toThrow(/text is uint8 \(bytes\), but this is int8 \(1\)/);
});
