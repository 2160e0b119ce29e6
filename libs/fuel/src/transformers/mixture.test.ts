import { assertResumable, ndarray, RandomKey, RandomStreams, StateMismatch } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain } from '../../test/toy.js';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { ShuffledScheme } from '../schemes/shuffled-scheme.js';
import type { DataStream } from '../streams/data-stream.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { costText } from '../streams/stage-costs.js';
import { Batching } from './batching.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { Mapping } from './mapping.js';
import { Mixture, type MixtureOptions } from './mixture.js';
import { Rename } from './rename.js';

const key = new RandomKey(1, 'mixture');

function rows(count: number, from: number): DataStream {
  const x = ndarray(
    'int32',
    [count, 1],
    Int32Array.from({ length: count }, (_, i) => from + i),
  );
  const random = new RandomStreams(2).stream('order');
  return new DatasetStream(new IndexableDataset({ x }), new ShuffledScheme(count, 1, { random }));
}

function mixture(options: Partial<MixtureOptions> = {}): Mixture {
  return new Mixture([rows(7, 0), rows(40, 100), rows(3, 200)], { weights: [1, 3, 0], key, perEpoch: 100, ...options });
}

test('each stream gives its share, epoch by epoch of its own, and none is given up half way', async () => {
  const stream = mixture();
  const given: number[] = [];
  for (let epoch = 0; epoch < 10; epoch += 1) {
    const batches = await drain(stream);
    expect(batches).toHaveLength(100);
    expect(batches.map(({ index }) => index)).toEqual(batches.map((_, index) => index));
    given.push(...batches.map((batch) => Number(dense(batch, 'x').data[0])));
    await stream.nextEpoch();
  }
  const small = given.filter((x) => x < 100);
  expect(small.length / given.length).toBeCloseTo(0.25, 1);
  expect(given.every((x) => x < 200)).toBe(true);
  for (let start = 0; start + 7 <= small.length; start += 7)
    expect(small.slice(start, start + 7).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('it resumes exactly, and a state of other weights is refused', async () => {
  await assertResumable(() => mixture({ perEpoch: 25 }), { epochs: 3 });

  expect(() => mixture({ weights: [1, 2, 0] }).restore(mixture().state())).toThrow(StateMismatch);
});

test('streams that are not alike, and weights that are none, are refused', () => {
  expect(
    () => new Mixture([rows(1, 0), new Rename(rows(1, 0), { x: 'y' })], { weights: [1, 1], key, perEpoch: 1 }),
  ).toThrow(/the sources x and another y; rename/);
  expect(() => mixture({ weights: [0, 0, 0] })).toThrow(
    /weights is \[0, 0, 0\]; give a number from 0 for each of the 3/,
  );
  expect(() => mixture({ weights: [1, 1] })).toThrow(/weights is \[1, 1\]/);
  expect(() => mixture({ perEpoch: 0 })).toThrow(/perEpoch is 0/);
});

test('each stage tells what it took by itself', async () => {
  const dataset = new IndexableDataset({ x: ndarray('uint8', [6]) });
  const slow = new Mapping(new DatasetStream(dataset, new SequentialExampleScheme(6)), async (columns) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return columns;
  });
  const stream = new Batching(slow, new ConstantScheme(4));
  await drain(stream);

  const costs = stream.costs();
  expect(costs.map(({ stage, deliveries }) => [stage, deliveries])).toEqual([
    ['Batching(4)', 2],
    [expect.stringMatching(/^Mapping/), 6],
    [expect.stringContaining('SequentialExampleScheme(6)'), 6],
  ]);
  // What waits in the mapping is not counted again above it.
  expect(costs[1]?.ms).toBeGreaterThan(20);
  expect(costs.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(stream.takenMs, 3);
  expect(costText(costs)).toMatch(/^Batching\(4\) +2 given +[\d.]+ ms each +\d+ %\nMapping/);
  expect(costText(new DatasetStream(dataset, new SequentialScheme(6, 6)).costs())).toMatch(/ 0 given$/);
});
