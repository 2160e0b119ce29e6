import { KeyedPermutation, RandomKey, RandomStreams } from '@longrun/serialization';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dense, drain, elements, toyDataset } from '../../test/toy.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import type { IterationScheme, Request } from './iteration-scheme.js';
import { KeyedShuffledExampleScheme } from './keyed-shuffled-example-scheme.js';
import { KeyedShuffledScheme } from './keyed-shuffled-scheme.js';
import { ShuffledScheme } from './shuffled-scheme.js';

const KEY = new RandomKey(1, 'order');

describe.each([
  ['batches', (examples: number) => new KeyedShuffledScheme(examples, 6, { key: KEY })],
  ['examples', (examples: number) => new KeyedShuffledExampleScheme(examples, { key: KEY })],
] as const)('%s', (what, schemeOf) => {
  test('have each example exactly once an epoch, in another order in each', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100 }), fc.nat(), (examples, epoch) => {
        const order = epochOf(schemeOf(examples), epoch);
        expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: examples }, (_, i) => i));
      }),
    );
    const scheme = schemeOf(50);
    expect(new Set([0, 1, 2, 3].map((epoch) => epochOf(scheme, epoch).join())).size).toBe(4);
  });

  test('are a function of epoch and position, whatever was asked for before', () => {
    const uncut = [0, 1, 2].map((epoch) => requests(schemeOf(20), epoch));
    const scheme = schemeOf(20);

    for (const [epoch, position] of [
      [2, 1],
      [0, 3],
      [2, 0],
      [1, 2],
    ] as const) {
      expect(scheme.request(epoch, position)).toEqual(uncut[epoch]?.[position]);
    }
    expect(scheme.request(0, scheme.requestsPerEpoch)).toBeUndefined();
  });

  test('of a stream that is resumed at any position are those of one that was not', async () => {
    const streamOf = () => new DatasetStream(toyDataset(20), schemeOf(20));
    const uncut = streamOf();
    const states = [uncut.state()];
    const order: unknown[] = [];
    for (let epoch = 0; epoch < 2; epoch += 1) {
      if (epoch > 0) await uncut.nextEpoch();
      for (let batch = await uncut.next(); batch !== undefined; batch = await uncut.next()) {
        order.push(dense(batch, 'targets'));
        states.push(uncut.state());
      }
    }

    for (const [done, state] of states.entries()) {
      const resumed = streamOf();
      resumed.restore(state);
      const rest = [];
      for (;;) {
        for (let batch = await resumed.next(); batch !== undefined; batch = await resumed.next()) {
          rest.push(dense(batch, 'targets'));
        }
        if (done + rest.length >= order.length) break;
        await resumed.nextEpoch();
      }
      expect(rest).toEqual(order.slice(done));
    }
  });

  test('of 2^32 examples start and resume at once, and need no memory', () => {
    const before = process.memoryUsage().arrayBuffers;
    const scheme = schemeOf(2 ** 32);
    const last = scheme.requestsPerEpoch - 1;

    for (const position of [0, last >>> 1, last]) {
      const [example = -1] = indicesOf(scheme.request(7, position));
      expect(example).toBe(new KeyedPermutation(KEY, 7, 2 ** 32).at(what === 'batches' ? 6 * position : position));
    }
    expect(scheme.request(7, last + 1)).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    expect(() => schemeOf(2 ** 32 + 1)).toThrow(/examples is 4294967297; .* give 2\^32 at most/);
  });
});

test('both have the order of the keyed permutation', () => {
  const permutation = new KeyedPermutation(KEY, 3, 20);
  const order = Array.from({ length: 20 }, (_, place) => permutation.at(place));

  expect(epochOf(new KeyedShuffledScheme(20, 6, { key: KEY }), 3)).toEqual(order);
  expect(epochOf(new KeyedShuffledExampleScheme(20, { key: KEY }), 3)).toEqual(order);
});

test('the last batch is short, and no examples make none', async () => {
  const stream = new DatasetStream(toyDataset(7), new KeyedShuffledScheme(7, 3, { key: KEY }));

  expect(elements(await drain(stream), 'targets').map((batch) => batch.length)).toEqual([3, 3, 1]);
  expect(new KeyedShuffledScheme(0, 3, { key: KEY }).request(0, 0)).toBeUndefined();
});

test('sorted indices are the same batches, each sorted', () => {
  const shuffled = requests(new KeyedShuffledScheme(20, 6, { key: KEY }), 1).map(indicesOf);
  const sorted = requests(new KeyedShuffledScheme(20, 6, { key: KEY, sortedIndices: true }), 1).map(indicesOf);

  expect(sorted).toEqual(shuffled.map((batch) => batch.toSorted((a, b) => a - b)));
  expect(sorted).not.toEqual(shuffled);
});

test('listed examples are shuffled, and no others come', () => {
  for (const scheme of [
    new KeyedShuffledScheme([7, 30, 2], 2, { key: KEY }),
    new KeyedShuffledExampleScheme([7, 30, 2], { key: KEY }),
  ]) {
    expect(epochOf(scheme, 0).toSorted((a, b) => a - b)).toEqual([2, 7, 30]);
  }
});

test('another seed, stage, size or order is another identity, and a stream with it is refused', async () => {
  const schemes = [
    new KeyedShuffledScheme(20, 6, { key: KEY }),
    new KeyedShuffledScheme(20, 6, { key: new RandomKey(2, 'order') }),
    new KeyedShuffledScheme(20, 6, { key: new RandomKey(1, 'other') }),
    new KeyedShuffledScheme(20, 5, { key: KEY }),
    new KeyedShuffledScheme(19, 6, { key: KEY }),
    new KeyedShuffledScheme(20, 6, { key: KEY, sortedIndices: true }),
    new KeyedShuffledExampleScheme(20, { key: KEY }),
    new KeyedShuffledExampleScheme(20, { key: new RandomKey(2, 'order') }),
    new KeyedShuffledExampleScheme(20, { key: new RandomKey(1, 'other') }),
    new KeyedShuffledExampleScheme([...Array(20).keys()], { key: KEY }),
  ];
  const streams = schemes.map((scheme) => new DatasetStream(toyDataset(20), scheme));

  for (const [i, stream] of streams.entries()) {
    for (const [j, other] of streams.entries()) {
      if (i === j) continue;
      expect(() => other.restore(stream.state())).toThrow(/DatasetStream: the state was saved with the scheme/);
    }
  }
});

test('the example of the README', () => {
  const context = { seed: 1, random: new RandomStreams(1) };
  const schemes = [
    new ShuffledScheme(60_000, 128, { random: context.random.stream('order') }),
    new KeyedShuffledScheme(1_000_000_000, 128, { key: new RandomKey(context.seed, 'order') }),
  ];

  for (const scheme of schemes) expect(new Set(indicesOf(scheme.request(0, 100))).size).toBe(128);
});

test('a batch size that is none is refused', () => {
  expect(() => new KeyedShuffledScheme(7, 0, { key: KEY })).toThrow(
    'KeyedShuffledScheme: batchSize is 0; give a whole number of at least 1',
  );
});

function requests(scheme: IterationScheme, epoch: number): (Request | undefined)[] {
  return Array.from({ length: scheme.requestsPerEpoch }, (_, position) => scheme.request(epoch, position));
}

function epochOf(scheme: IterationScheme, epoch: number): number[] {
  return requests(scheme, epoch).flatMap(indicesOf);
}

function indicesOf(request: Request | undefined): number[] {
  if (typeof request === 'number') return [request];
  if (request instanceof Uint32Array) return [...request];
  throw new Error(`a request of another kind: ${JSON.stringify(request)}`);
}
