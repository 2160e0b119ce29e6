import { RandomKey } from '@longrun/serialization';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { dense, drain, toyDataset } from '../../test/toy.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { BucketedScheme } from './bucketed-scheme.js';
import type { IterationScheme } from './iteration-scheme.js';
import { KeyedShuffledScheme } from './keyed-shuffled-scheme.js';
import { SequentialScheme } from './sequential-scheme.js';
import { ShardedScheme } from './sharded-scheme.js';
import { StratifiedScheme } from './stratified-scheme.js';
import { WeightedScheme } from './weighted-scheme.js';
import { WindowShuffledScheme } from './window-shuffled-scheme.js';

const key = new RandomKey(3, 'order');
const numbers = (count: number, of: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => of(i));

/** Of an epoch. */
function batches(scheme: IterationScheme, epoch: number): number[][] {
  return numbers(scheme.requestsPerEpoch, (position) => position).map((position) => {
    const request = scheme.request(epoch, position);
    if (request === undefined || typeof request === 'number') throw new Error('there is no batch');
    return 'start' in request ? numbers(request.stop - request.start, (i) => request.start + i) : [...request];
  });
}

const once: Record<string, (count: number, size: number) => IterationScheme> = {
  WindowShuffledScheme: (count, size) => new WindowShuffledScheme(count, size, { key, chunk: 7, window: 3 }),
  StratifiedScheme: (count, size) =>
    new StratifiedScheme(
      numbers(count, (i) => i % 3 && 9),
      size,
      { key },
    ),
  BucketedScheme: (count, size) =>
    new BucketedScheme(
      numbers(count, (i) => (i * 7) % 11),
      size,
      { key, window: 4 },
    ),
};

test.each(Object.entries(once))(
  '%s: each example once an epoch, in another order in each, and any batch at once',
  (_, schemeOf) => {
    fc.assert(
      fc.property(
        fc.nat({ max: 120 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat({ max: 1_000 }),
        (count, size, epoch) => {
          const scheme = schemeOf(count, size);
          const given = batches(scheme, epoch);
          expect(given.flat().toSorted((a, b) => a - b)).toEqual(numbers(count, (i) => i));
          expect(given.filter(({ length }) => length !== size).length).toBeLessThanOrEqual(1);
          for (const position of given.keys())
            expect([...(schemeOf(count, size).request(epoch, position) as Uint32Array)]).toEqual(given[position]);
          expect(scheme.request(epoch, scheme.requestsPerEpoch)).toBeUndefined();
        },
      ),
      { numRuns: 40 },
    );
    const scheme = schemeOf(60, 8);
    expect(new Set([0, 1, 2, 3].map((epoch) => batches(scheme, epoch).join())).size).toBe(4);
    expect(scheme.identity()).not.toEqual(schemeOf(61, 8).identity());
    expect(scheme.identity()).not.toEqual(schemeOf(60, 9).identity());
  },
);

test('of chunks that are mixed in windows no more are open at a time than a window has', () => {
  const scheme = new WindowShuffledScheme(1_000, 10, { key, chunk: 20, window: 4 });
  const order = batches(scheme, 5).flat();
  for (let start = 0; start < order.length; start += 80)
    expect(new Set(order.slice(start, start + 80).map((example) => Math.floor(example / 20))).size).toBeLessThanOrEqual(
      4,
    );
  // And they are mixed.
  const neighbours = order.filter((example, place) => example === (order[place - 1] ?? -2) + 1);
  expect(neighbours.length).toBeLessThan(60);
});

test('a batch has its share of each class', () => {
  const classes = numbers(1_000, (i) => (i < 100 ? 0 : i < 300 ? 1 : 2));
  for (const batch of batches(new StratifiedScheme(classes, 50, { key }), 1)) {
    const counts = [0, 1, 2].map((label) => batch.filter((example) => classes[example] === label).length);
    for (const [label, share] of [5, 10, 35].entries())
      expect(Math.abs((counts[label] ?? 0) - share)).toBeLessThanOrEqual(1);
  }
});

test('examples of a batch are of like length', () => {
  const lengths = numbers(4_000, (i) => (i * 7919) % 997);
  const padded = (scheme: IterationScheme): number =>
    batches(scheme, 0).reduce((sum, batch) => {
      const longest = Math.max(...batch.map((example) => lengths[example] ?? 0));
      return sum + batch.reduce((more, example) => more + longest - (lengths[example] ?? 0), 0);
    }, 0);

  expect(padded(new BucketedScheme(lengths, 32, { key })) * 20).toBeLessThan(
    padded(new KeyedShuffledScheme(lengths.length, 32, { key })),
  );
});

test('examples come as often as their weights say', () => {
  const scheme = new WeightedScheme([1, 0, 3, 6], 100, { key, examplesPerEpoch: 20_000 });
  const drawn = batches(scheme, 2).flat();
  const shares = [0, 1, 2, 3].map((example) => drawn.filter((one) => one === example).length / drawn.length);

  expect(drawn).toHaveLength(20_000);
  for (const [example, share] of [0.1, 0, 0.3, 0.6].entries()) expect(shares[example]).toBeCloseTo(share, 1.7);
  expect(shares[1]).toBe(0);
  expect([...(scheme.request(2, 7) ?? [])]).toEqual(batches(scheme, 2)[7]);
  expect(batches(scheme, 3)[0]).not.toEqual(batches(scheme, 2)[0]);
  expect(() => new WeightedScheme([1, -1], 1, { key })).toThrow(/the weight of example 1 is -1; give numbers from 0/);
  expect(() => new WeightedScheme([0, 0], 1, { key })).toThrow(/sum up to 0; give one at least/);
});

test('readers of shards have together what one has, and go on from one another’s states with another number', async () => {
  const whole = new KeyedShuffledScheme(23, 5, { key });
  for (const count of [1, 2, 3, 7]) {
    const shards = numbers(count, (index) => index).map((index) => new ShardedScheme(whole, { index, count }));
    for (const [position, batch] of batches(whole, 1).entries())
      expect(shards.flatMap((shard) => batches(shard, 1)[position] ?? [])).toEqual(batch);
  }
  expect(batches(new ShardedScheme(new SequentialScheme(7, 4), { index: 1, count: 2 }), 0)).toEqual([
    [2, 3],
    [5, 6],
  ]);

  const stream = (index: number, count: number): DatasetStream =>
    new DatasetStream(toyDataset(23), new ShardedScheme(whole, { index, count }));
  const first = stream(1, 2);
  await first.next();
  await first.next();
  const rest = await Promise.all(
    [0, 1, 2].map(async (index) => {
      const resumed = stream(index, 3);
      resumed.restore(first.state());
      return await drain(resumed);
    }),
  );
  const alone = await drain(new DatasetStream(toyDataset(23), whole));
  for (const [position, batch] of alone.slice(2).entries())
    expect(rest.flatMap((shard) => [...dense(shard[position], 'targets').data])).toEqual([
      ...dense(batch, 'targets').data,
    ]);
});

test('what cannot be is refused', () => {
  expect(() => new WindowShuffledScheme(10, 2, { key, chunk: 0 })).toThrow(
    /chunk is 0; give a whole number of at least 1/,
  );
  expect(() => new StratifiedScheme([1, -1], 2, { key })).toThrow(/class -1 is not an index/);
  expect(() => new BucketedScheme([1.5], 2, { key })).toThrow(/length 1.5 is not an index/);
  expect(() => new ShardedScheme(new SequentialScheme(4, 2), { index: 2, count: 2 })).toThrow(
    /index is 2 of 2; give one from 0 to 1/,
  );
});
