import { fileURLToPath } from 'node:url';

import {
  assertResumable,
  batched,
  chain,
  combinations,
  count,
  cycle,
  filter,
  groupBy,
  interleave,
  islice,
  lines,
  map,
  ndarray,
  product,
  range,
  repeat,
  tee,
  type StatefulIterator,
} from '@longrun/serialization';
import { describe, expect, test } from 'vitest';
import { drain, elements } from '../../test/toy.js';
import { IterableDataset, type ExampleSource } from '../datasets/iterable-dataset.js';
import { IterableStream } from './iterable-stream.js';

test('an epoch ends, stays at its end, and the next one has the same examples, of iterators too', async () => {
  const stream = new IterableStream(new IterableDataset(filter((n: number) => n % 2 === 1, range(5))));

  for (let epoch = 0; epoch < 3; epoch += 1) {
    expect(elements(await drain(stream), 'data')).toEqual([[1], [3]]);
    expect(await stream.next()).toBeUndefined();
    await stream.nextEpoch();
  }
  await stream.next();
  await stream.nextEpoch();
  expect(elements(await drain(stream), 'data')).toEqual([[1], [3]]);
});

test('it gives examples, as many as are known, without a batch axis', () => {
  const axisLabels = new Map([['data', ['batch', 'height']]]);
  const stream = new IterableDataset([[1], [2]], { axisLabels }).exampleStream();

  expect(stream.producesExamples).toBe(true);
  expect(stream.batchesPerEpoch).toBe(2);
  expect(stream.axisLabels?.get('data')).toEqual(['height']);
  expect(new IterableDataset(count()).exampleStream().batchesPerEpoch).toBeNull();
});

test('an epoch begins where the iterator was when the dataset was built', async () => {
  const iterator = map((n: number) => n, range(5));
  iterator.next();
  const stream = new IterableDataset(iterator).exampleStream();
  iterator.next();

  expect(elements(await drain(stream), 'data')).toEqual([[1], [2], [3], [4]]);
});

const kinds: Record<string, () => ExampleSource | Readonly<Record<string, ExampleSource>>> = {
  'a list': () => [1, 2, 3],
  'arrays of several lengths': () => [ndarray('uint8', [1]), ndarray('uint8', [3]), ndarray('uint8', [0, 2])],
  'no examples': () => [],
  'a range, in steps': () => range(10, 0, -3),
  'an iterator without end': () => count(3, 2),
  'a cycle': () => cycle(range(3)),
  'one value, some times': () => repeat(5, 3),
  'a chain': () => chain(range(2), [7, 8], repeat(1, 2)),
  'a chain of drawn ones': () => chain.fromIterable(map((n: number) => range(n), range(4))),
  'lists of numbers': () => batched(range(7), 3),
  'nested ones': () =>
    map(
      (pair: readonly number[], n: number) => [...pair, n],
      filter(([a = 0, b = 0]: readonly number[]) => a < b, product([range(3), range(3)])),
      islice(cycle(pairs()), 3),
    ),
  groups: () =>
    map(
      ([key, group]) => [key, ...group],
      groupBy([1, 1, 2, 3, 3], (n: number) => n),
    ),
  interleaved: () => interleave([range(2), range(5, 9)]),
  'lines of a file': () => map((line: string) => line.length, lines(fileURLToPath(import.meta.url))),
  'side by side': () => ({
    features: map((n: number) => Float32Array.of(n, n * n), chain(range(3), range(8, 10))),
    targets: islice(cycle([0, 1]), 5),
    index: range(5),
  }),
  'side by side, without end': () => ({ a: cycle([1, 2, 3]), b: count() }),
  'of a tee': () => {
    const [a, b] = tee(filter((n: number) => n !== 2, range(5)));
    if (a === undefined || b === undefined) throw new Error('tee gave less than two');
    return { a, b };
  },
};

function pairs(): StatefulIterator<number> {
  return map(([a = 0, b = 0]: readonly number[]) => a * 10 + b, combinations(range(4), 2));
}

describe('a stream can be saved before each example and each end of an epoch:', () => {
  test.each(Object.keys(kinds))('%s', async (kind) => {
    const make = () => new IterableDataset(kinds[kind]?.() ?? []).exampleStream();

    await assertResumable(make, { steps: 16, epochs: 3 });
  });

  test('two streams of one dataset, read by turns', async () => {
    await assertResumable(
      () => {
        const dataset = new IterableDataset({ a: chain(range(3), range(2)), b: islice(count(), 5) });
        const [stream, other] = [dataset.exampleStream(), dataset.exampleStream()];
        return {
          next: async () => {
            await other.next();
            return stream.next();
          },
          nextEpoch: () => stream.nextEpoch(),
          state: () => stream.state(),
          restore: (state) => stream.restore(state),
        };
      },
      { epochs: 3 },
    );
  });
});

test('a state is small, however far the stream', async () => {
  const stream = new IterableDataset({ a: chain(range(1e6)), b: cycle([1, 2, 3]) }).exampleStream();
  for (let i = 0; i < 10_000; i += 1) await stream.next();

  expect(JSON.stringify(stream.state()).length).toBeLessThan(600);
});
