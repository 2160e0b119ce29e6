import { assertResumable, ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { drain, elements } from '../../test/toy.js';
import { isRagged } from '../arrays/column.js';
import { rowsOf, takeRow } from '../arrays/rows.js';
import { IterableDataset } from '../datasets/iterable-dataset.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { Batching } from './batching.js';
import { Cache } from './cache.js';
import { Mapping } from './mapping.js';
import { SortMapping, type SortMappingOptions } from './sort-mapping.js';

const WORDS = ['four', 'a', 'six', 'be', 'c', 'five', 'two', 'de'];
const sorted = (options: SortMappingOptions = {}) => {
  const dataset = new IterableDataset({ words: WORDS, number: [0, 1, 2, 3, 4, 5, 6, 7] });
  const batches = new Batching(dataset.exampleStream(), new ConstantScheme(8));
  return new Mapping(batches, new SortMapping((example) => example.get('words')?.data.length ?? 0, options));
};

test('2.5-14: the rows of all sources are sorted by the key of their example, those of one key in their order', async () => {
  expect(elements(await drain(new Cache(sorted(), new ConstantScheme(8))), 'number')).toEqual([
    [1, 4, 3, 7, 2, 6, 0, 5],
  ]);
  expect(elements(await drain(sorted({ reverse: true })), 'number')).toEqual([[0, 5, 2, 6, 3, 7, 1, 4]]);
});

test('with a cache around, batches are of one length: bucketing', async () => {
  const batches = await drain(new Cache(sorted(), new ConstantScheme(2)));
  const words = batches.map(({ columns }) => columns.get('words') ?? ndarray('uint8', [0]));

  expect(words.map((column) => [isRagged(column), rowsOf(column, 'words'), takeRow(column, 0).data.length])).toEqual([
    [false, 2, 1],
    [false, 2, 2],
    [false, 2, 3],
    [false, 2, 4],
  ]);
  await assertResumable(() => new Cache(sorted(), new ConstantScheme(3)));
});

test('keys may be lists, compared item by item, or text; NaN is refused', () => {
  const columns = new Map([['x', ndarray('int8', [4, 2], Int8Array.of(2, 1, 1, 9, 2, 0, 1, 9))]]);
  const order = (mapping: SortMapping) => [...(mapping.map(columns).get('x') as { data: Int8Array }).data];
  const [first, second] = [0, 1].map(
    (at) => (example: ReadonlyMap<string, { data: ArrayLike<number | bigint> }>) => Number(example.get('x')?.data[at]),
  );
  if (first === undefined || second === undefined) throw new Error('there are two');

  expect(order(new SortMapping((example) => [first(example), second(example)]))).toEqual([1, 9, 1, 9, 2, 0, 2, 1]);
  expect(order(new SortMapping((example) => `${second(example)}`))).toEqual([2, 0, 2, 1, 1, 9, 1, 9]);
  expect(() => new SortMapping(() => Number.NaN).map(columns)).toThrow(/the key of row 0 is NaN/);
});
