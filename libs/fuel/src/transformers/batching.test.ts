import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain, elements, toyDataset } from '../../test/toy.js';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { IterableDataset } from '../datasets/iterable-dataset.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Batching, type BatchingOptions } from './batching.js';

const examples = (count: number) => new DatasetStream(toyDataset(count), new SequentialExampleScheme(count));
const batching = (count: number, options: BatchingOptions = {}) =>
  new Batching(examples(count), new ConstantScheme(2), options);

test('2.5-15: examples are put together; the last batch is short', async () => {
  const stream = batching(5);
  const batches = await drain(stream);

  expect(elements(batches, 'targets')).toEqual([[0, 1], [2, 3], [4]]);
  expect(dense(batches[0], 'features').shape).toEqual([2, 2, 3]);
  expect(stream.batchesPerEpoch).toBe(3);
  expect(stream.producesExamples).toBe(false);
  expect(stream.axisLabels?.get('features')).toEqual(['batch', 'height', 'width']);
});

test('a short batch can be dropped, or refused', async () => {
  expect(elements(await drain(batching(5, { shortBatch: 'drop' })), 'targets')).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(batching(5, { shortBatch: 'drop' }).batchesPerEpoch).toBe(2);
  await expect(drain(batching(5, { shortBatch: 'raise' }))).rejects.toThrow(/ran out after 1 of a batch of 2/);
  expect(await drain(batching(4, { shortBatch: 'raise' }))).toHaveLength(2);
});

test('the scheme may end before the examples; the next epoch starts at the first example again', async () => {
  const stream = new Batching(examples(5), new ConstantScheme(2, { times: 1 }));

  expect(elements(await drain(stream), 'targets')).toEqual([[0, 1]]);
  await stream.nextEpoch();
  expect(elements(await drain(stream), 'targets')).toEqual([[0, 1]]);
});

test('a read that fails loses no example', async () => {
  class Flaky extends IndexableDataset {
    failures = 1;
    override async getData(request: Parameters<IndexableDataset['getData']>[0]) {
      if (request === 1 && this.failures > 0) {
        this.failures -= 1;
        throw new Error('the disk is away');
      }
      return super.getData(request);
    }
  }
  const dataset = new Flaky({ targets: ndarray('uint8', [2], Uint8Array.of(7, 8)) });
  const stream = new Batching(new DatasetStream(dataset, new SequentialExampleScheme(2)), new ConstantScheme(2));

  await expect(stream.next()).rejects.toThrow('the disk is away');
  expect(elements(await drain(stream), 'targets')).toEqual([[7, 8]]);
});

test('a batch that cannot be put together, or is refused for being short, comes again, and its examples are not lost', async () => {
  const uneven = new Batching(
    new IterableDataset({ words: [[1], [2], [3, 4], 5] }).exampleStream(),
    new ConstantScheme(2),
  );
  await uneven.next();
  for (const [stream, words] of [
    [uneven, /cannot be put into one batch/],
    [batching(1, { shortBatch: 'raise' }), /ran out after 1 of a batch of 2/],
  ] as const) {
    const state = stream.state();
    await expect(stream.next()).rejects.toThrow(words);
    await expect(stream.next()).rejects.toThrow(words);
    expect(stream.state()).toEqual(state);
  }
});

test('batches are refused', () => {
  const batches = new DatasetStream(toyDataset(3), new SequentialScheme(3, 2));

  expect(() => new Batching(batches, new ConstantScheme(2))).toThrow(/gives batches already/);
});
