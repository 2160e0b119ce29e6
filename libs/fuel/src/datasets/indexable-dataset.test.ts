import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain, elements, toyDataset } from '../../test/toy.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { denseIn, ragged } from '../arrays/column.js';
import { IndexableDataset } from './indexable-dataset.js';

test('requests are an example, a range or a list', async () => {
  const dataset = toyDataset(4);

  expect(dense(await dataset.getData(2), 'targets')).toEqual(ndarray('int32', [1], Int32Array.of(2)));
  expect(dense(await dataset.getData({ start: 1, stop: 3 }), 'targets').data).toEqual(Int32Array.of(1, 2));
  expect(dense(await dataset.getData(Uint32Array.of(3, 0)), 'targets').data).toEqual(Int32Array.of(3, 0));
  await expect(dataset.getData(4)).rejects.toThrow(/Row 4/);
});

test('2.1-13: of a part, rows are counted within it, and it is applied once; columns may be ragged', async () => {
  const numbers = ndarray(
    'uint8',
    [100],
    Uint8Array.from({ length: 100 }, (_, i) => i),
  );
  const words = ragged(
    numbers,
    ndarray('uint32', [100, 1], new Uint32Array(100).fill(1, 1).fill(0, 2, 3).fill(2, 0, 1)),
  );
  const dataset = new IndexableDataset({ numbers, words }, { start: 1, stop: 20 });

  expect(dataset.examplesCount).toBe(19);
  expect(elements(await drain(dataset.exampleStream()), 'numbers').flat()).toEqual([...numbers.data.subarray(1, 20)]);
  const { columns } = await dataset.getData({ start: 0, stop: 2 });
  expect(columns.get('words')).toMatchObject({ offsets: Uint32Array.of(0, 1, 1), values: { data: Uint8Array.of(2) } });
  expect(dense(await dataset.getData(1), 'words')).toEqual(ndarray('uint8', [0]));
  const other = ragged(
    numbers,
    ndarray('uint32', [100, 1], new Uint32Array(100).fill(1, 1).fill(0, 1, 2).fill(2, 0, 1)),
  );
  const identities = [{ words }, { words: other }].map((of) =>
    JSON.stringify(new IndexableDataset(of, { stop: 3 }).identity()),
  );
  expect(new Set(identities).size).toBe(2);
  expect(() => new IndexableDataset({ numbers }, { stop: 101 })).toThrow('Row 100 was asked for, but there are 100');
  expect(() => new IndexableDataset({ numbers, words: denseIn(columns, 'numbers') })).toThrow(/numbers 100, words 2/);
});

test('sources are those wanted, in the order wanted', async () => {
  const arrays = { a: ndarray('uint8', [2]), b: ndarray('uint8', [2]), c: ndarray('uint8', [2]) };
  const dataset = new IndexableDataset(arrays, { sources: ['c', 'a'] });

  expect(dataset.providesSources).toEqual(['a', 'b', 'c']);
  expect([...(await dataset.getData(0)).columns.keys()]).toEqual(['c', 'a']);
  expect(() => new IndexableDataset(arrays, { sources: ['d'] })).toThrow(/no source d; .* a, b, c/);
  expect(() => new IndexableDataset(arrays, { sources: [] })).toThrow(/a, b, c/);
});

test('sources of different lengths are refused', () => {
  expect(() => new IndexableDataset({ a: ndarray('uint8', [2]), b: ndarray('uint8', [3]) })).toThrow(/a 2, b 3/);
  expect(() => new IndexableDataset({ a: ndarray('uint8', []) })).toThrow(/a is a scalar/);
});

test('2.1-04, 2.1-05: its example stream gives every example once, in order', async () => {
  const dataset = toyDataset(3);

  expect(dataset.exampleIterationScheme?.identity()).toEqual(new SequentialExampleScheme(3).identity());
  const stream = dataset.exampleStream();
  expect(stream.producesExamples).toBe(true);
  expect(elements(await drain(stream), 'targets')).toEqual([[0], [1], [2]]);
  await stream.nextEpoch();
  expect(elements(await drain(stream), 'targets')).toEqual([[0], [1], [2]]);
});

test('a class that gives no scheme says so when it is asked for an example stream', () => {
  class Unordered extends IndexableDataset {
    override get exampleIterationScheme(): null {
      return null;
    }
  }
  const dataset = new Unordered({ a: ndarray('uint8', [2]) });

  expect(() => dataset.exampleStream()).toThrow(/Unordered: there is no exampleIterationScheme/);
});
