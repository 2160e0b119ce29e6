import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain, elements, toyDataset } from '../../test/toy.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { IndexableDataset } from './indexable-dataset.js';

test('requests are an example, a range or a list', async () => {
  const dataset = toyDataset(4);

  expect(dense(await dataset.getData(2), 'targets')).toEqual(ndarray('int32', [1], Int32Array.of(2)));
  expect(dense(await dataset.getData({ start: 1, stop: 3 }), 'targets').data).toEqual(Int32Array.of(1, 2));
  expect(dense(await dataset.getData(Uint32Array.of(3, 0)), 'targets').data).toEqual(Int32Array.of(3, 0));
  await expect(dataset.getData(4)).rejects.toThrow(/Row 4/);
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
