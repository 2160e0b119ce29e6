import { assertResumable } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { drain, elements, toyDataset } from '../../test/toy.js';
import { IterableDataset } from '../datasets/iterable-dataset.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Batching } from './batching.js';
import { FilterSources } from './filter-sources.js';
import { NGrams } from './n-grams.js';
import { Window, type WindowOptions } from './window.js';

const sentences = () => new IterableDataset({ words: [[1, 2, 3, 4], [5], [6, 7, 8]] }).exampleStream();
const windows = async (options: WindowOptions): Promise<string[]> => {
  const pairs = await drain(new Window(sentences(), options));
  const [words, targets] = ['words', 'targets'].map((source) => elements(pairs, source));
  return (words ?? []).map((window, at) => `${window.join()}>${targets?.[at]?.join()}`);
};

// What the original gives of the same sentences.
test.each([
  [{ offset: 0, sourceWindow: 2, targetWindow: 1, overlapping: false }, ['1,2>3', '2,3>4', '6,7>8']],
  [{ offset: 1, sourceWindow: 2, targetWindow: 2, overlapping: true }, ['1,2>2,3', '2,3>3,4', '6,7>7,8']],
  [{ offset: 1, sourceWindow: 1, targetWindow: 1, overlapping: false }, ['1>3', '2>4', '6>8']],
  [{ offset: -1, sourceWindow: 1, targetWindow: 1, overlapping: true }, ['2>1', '3>2', '4>3', '7>6', '8>7']],
  [{ offset: -3, sourceWindow: 2, targetWindow: 1, overlapping: false }, ['2,3>1', '3,4>2', '7,8>6']],
  [{ offset: 0, sourceWindow: 3, targetWindow: 3, overlapping: true }, ['1,2,3>1,2,3', '2,3,4>2,3,4', '6,7,8>6,7,8']],
])('2.5-30: windows slide over each sequence, and not beyond: %j', async (options, expected) => {
  expect(await windows(options)).toEqual(expected);
});

test('2.5-31: an n-gram, and the item after it', async () => {
  const stream = new NGrams(sentences(), 2);
  const grams = await drain(stream);

  expect(elements(grams, 'words')).toEqual([
    [1, 2],
    [2, 3],
    [6, 7],
  ]);
  expect(elements(grams, 'targets')).toEqual([[3], [4], [8]]);
  expect(grams[0]?.columns.get('targets')).toMatchObject({ shape: [] });
  expect([stream.sources, stream.producesExamples, stream.batchesPerEpoch]).toEqual([['words', 'targets'], true, null]);
  expect(new NGrams(sentences(), 1, { targetSource: 'next' }).sources).toEqual(['words', 'next']);
});

test('a sequence that is left in the middle leaves nothing to the next epoch', async () => {
  const stream = new NGrams(sentences(), 2);
  await stream.next();
  await stream.nextEpoch();

  expect(await stream.next()).toMatchObject({ epoch: 1, index: 0 });
  expect(elements(await drain(stream), 'targets')).toEqual([[4], [8]]);
});

test('they can be resumed at every pair, and inside of a batch', async () => {
  await assertResumable(() => new NGrams(sentences(), 2));
  await assertResumable(() => new Batching(new NGrams(sentences(), 1), new ConstantScheme(2)));
});

test('batches, several sources, and windows of no size are refused', () => {
  const options = { offset: 0, sourceWindow: 1, targetWindow: 1, overlapping: false };
  const two = new DatasetStream(toyDataset(3), new SequentialExampleScheme(3));
  const batches = new Batching(sentences(), new ConstantScheme(2));

  expect(() => new Window(batches, options)).toThrow(/Window: the stream gives batches/);
  expect(() => new NGrams(two, 2)).toThrow(/NGrams: the stream has the sources features, targets; keep the one/);
  expect(() => new Window(new FilterSources(two, ['targets']), options)).toThrow(/give targetSource another name/);
  expect(() => new NGrams(sentences(), 0)).toThrow(/sourceWindow is 0; give a whole number of at least 1/);
});

test('the state of other windows is refused, naming both', () => {
  expect(() => new NGrams(sentences(), 3).restore(new NGrams(sentences(), 2).state())).toThrow(
    /Window: the state was saved with the options .*"sourceWindow":2.*but this one has .*"sourceWindow":3.*same windows/,
  );
});
