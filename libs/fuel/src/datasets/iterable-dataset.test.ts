import {
  assertResumable,
  chain,
  count,
  cycle,
  islice,
  IterableLengthMismatch,
  map,
  ndarray,
  range,
  StateMismatch,
  tee,
  type Json,
  type NdArray,
  type StatefulIterator,
} from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain, elements } from '../../test/toy.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { Batch } from '../streams/delivery.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { uint8PixelsToFloat } from '../transformers/defaults.js';
import { Dataset } from './dataset.js';
import { IterableDataset, type ExampleSource } from './iterable-dataset.js';

/** Elements of a source in the next examples. */
function take(iterator: StatefulIterator<Batch>, examples: number, source = 'data'): number[][] {
  return elements([...islice(iterator, examples)], source);
}

test('2.1-12: one iterable is the source data, several run side by side under their names', async () => {
  const one = new IterableDataset([3, 1, 4]);
  const several = new IterableDataset({
    features: [Uint8Array.of(1, 2), Uint8Array.of(3, 4)],
    targets: new Set([7, 8]),
  });

  expect(one.sources).toEqual(['data']);
  expect(one.examplesCount).toBe(3);
  expect(elements(await drain(one.exampleStream()), 'data')).toEqual([[3], [1], [4]]);
  const examples = await drain(several.exampleStream());
  expect(elements(examples, 'features')).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(elements(examples, 'targets')).toEqual([[7], [8]]);
  expect(dense(examples[0], 'features')).toEqual(ndarray('uint8', [2], Uint8Array.of(1, 2)));
});

test('sources may come in a Map, and are those wanted, in the order wanted; the others are not read', () => {
  const unread = map((): number => {
    throw new Error('c was read');
  }, count());
  const dataset = new IterableDataset(
    new Map<string, ExampleSource>([
      ['a', [1]],
      ['b', [2]],
      ['c', unread],
    ]),
    {
      sources: ['b', 'a'],
    },
  );

  expect(dataset.providesSources).toEqual(['a', 'b', 'c']);
  expect([...dataset.examples()].map(({ columns }) => [...columns.keys()])).toEqual([['b', 'a']]);
  expect(() => new IterableDataset({ a: [1] }, { sources: ['d'] })).toThrow(/no source d; .* a/);
});

test('how many examples there are is said by a sequence, or not at all', () => {
  expect(new IterableDataset(map((n: number) => n, range(3))).examplesCount).toBeNull();
  expect(new IterableDataset({ a: range(3), b: map((n: number) => n, range(3)) }).examplesCount).toBe(3);
});

test('examples cannot be asked for by index', async () => {
  const dataset = new IterableDataset([1, 2]);

  expect(dataset.exampleIterationScheme).toBeNull();
  await expect(dataset.getData(1)).rejects.toThrow(/example 1 was asked for, .* exampleStream\(\)/);
  await expect(dataset.getData({ start: 0, stop: 2 })).rejects.toThrow(TypeError);
  expect(() => new DatasetStream(dataset, new SequentialExampleScheme(2))).toThrow(
    /examples of IterableDataset come one after the other.* exampleStream\(\)/,
  );
});

test('lengths that are known to differ are refused at once', () => {
  expect(() => new IterableDataset({ a: [1, 2], b: range(3) })).toThrow(
    /IterableDataset: the sources have different lengths: a 2, b 3/,
  );
  expect(() => new IterableDataset({ a: [1, 2], b: new Set([1]) })).toThrow(/a 2, b 1/);
});

test('lengths that turn out to differ are an error in place of the first example that is not whole, and again', () => {
  const dataset = new IterableDataset({ short: range(2), endless: count(), long: map((n: number) => n, range(3)) });
  const examples = dataset.examples();

  expect(take(examples, 2, 'endless')).toEqual([[0], [1]]);
  const state = examples.state();
  for (let i = 0; i < 3; i += 1) {
    expect(() => examples.next()).toThrow(IterableLengthMismatch);
    expect(() => examples.next()).toThrow(
      /IterableDataset: the sources have different lengths: short 2, endless, long more; .* islice\(longer, 2\)/,
    );
    expect(examples.state()).toEqual(state);
  }
  const resumed = new IterableDataset({
    short: range(2),
    endless: count(),
    long: map((n: number) => n, range(3)),
  }).examples();
  resumed.restore(state);
  expect(() => resumed.next()).toThrow(/short 2, endless, long more/);
});

test('an item that could not be read or made is tried again, of all sources', () => {
  let failures = 1;
  const flaky = map((n: number) => {
    if (n === 1 && failures > 0) {
      failures -= 1;
      throw new Error('the disk is away');
    }
    return n;
  }, range(3));
  const examples = new IterableDataset({ before: range(10, 13), flaky, after: range(20, 23) }).examples();

  expect(take(examples, 1, 'flaky')).toEqual([[0]]);
  expect(() => examples.next()).toThrow('the disk is away');
  const rest = [...examples];
  expect(elements(rest, 'before')).toEqual([[11], [12]]);
  expect(elements(rest, 'flaky')).toEqual([[1], [2]]);
  expect(elements(rest, 'after')).toEqual([[21], [22]]);
});

test('readers of one dataset do not disturb each other, whatever they read and restore', () => {
  const dataset = new IterableDataset(map((n: number) => n * n, chain(range(3), cycle([10, 20]))));
  const [one, two] = [dataset.examples(), dataset.examples()];

  expect(take(one, 4)).toEqual([[0], [1], [4], [100]]);
  const state = one.state();
  expect(take(two, 2)).toEqual([[0], [1]]);
  expect(take(one, 2)).toEqual([[400], [100]]);
  two.restore(state);
  expect(take(one, 1)).toEqual([[400]]);
  expect(take(two, 1)).toEqual([[400]]);
  expect(() => two.restore({ ...state, sources: [] })).toThrow(StateMismatch);
  expect(take(two, 1)).toEqual([[100]]);
  expect(take(one, 1)).toEqual([[100]]);
});

test('its examples can be saved before each, by themselves too', async () => {
  await assertResumable(() => new IterableDataset({ a: chain(range(3), range(2)), b: islice(count(), 5) }).examples());
});

test('a damaged state of one source is refused, and leaves all of them where they were', () => {
  const examples = new IterableDataset({ a: chain(range(3)), b: islice(count(), 3) }).examples();
  const start = examples.state();
  take(examples, 2, 'a');
  const before = examples.state();
  const [a = null] = start['sources'] as readonly Json[];

  expect(() => examples.restore({ ...start, sources: [a, { version: 1, kind: 'count', next: 0 }] })).toThrow(
    /islice: the saved state is that of "count"/,
  );
  expect(examples.state()).toEqual(before);
  expect(take(examples, 5, 'a')).toEqual([[2]]);
});

test('one iterator under two names is refused; two of a tee are not', () => {
  const numbers = map((n: number) => n, range(3));
  expect(() => new IterableDataset({ a: numbers, b: numbers })).toThrow(/a and b are one iterator.*tee\(iterator\)/);

  const [a, b] = tee(range(3));
  if (a === undefined || b === undefined) throw new Error('tee gave less than two');
  const both = [...new IterableDataset({ a, b }).examples()];
  expect(elements(both, 'b')).toEqual(elements(both, 'a'));
  expect(both).toHaveLength(3);
});

test('generators, and items that no array can be made of, are refused', () => {
  const generator = (function* () {
    yield 1;
  })();

  expect(() => new IterableDataset(generator as unknown as number[])).toThrow(
    /IterableDataset: data cannot be read: .*a position in .* cannot be saved/,
  );
  expect(() => new IterableDataset({ x: [1], y: ndarray('uint8', [1]) as unknown as number[] })).toThrow(
    /IterableDataset: y cannot be read/,
  );
  expect(() => new IterableDataset([null] as unknown as number[]).exampleStream()).toThrow(
    /data: an example is \[object Null\]/,
  );
});

test('the default transformers go around its example stream', async () => {
  const dataset = new IterableDataset(
    { image: [Uint8Array.of(255, 51)] },
    { defaultTransformers: uint8PixelsToFloat(['image']) },
  );

  const [example] = await drain(dataset.applyDefaultTransformers(dataset.exampleStream()));

  expect(dense(example, 'image').data).toEqual(Float32Array.of(1, 0.2));
});

test('the state of another dataset is refused, naming both, also where only the last example differs', () => {
  const streamOf = (source: ExampleSource, name = 'a') => new IterableDataset({ [name]: source }).exampleStream();
  const state = streamOf([1, 2, 3]).state();
  const words =
    /IterableDataset: the state was saved with the dataset .*"a float64 \(\)".*but this one has .*; build it over the same dataset/;

  for (const other of [
    [1, 2, 4],
    [1, 2],
    [[1], [2], [3]],
  ] as const) {
    const stream = streamOf(other);
    const before = stream.state();
    expect(() => stream.restore(state)).toThrow(StateMismatch);
    expect(() => stream.restore(state)).toThrow(words);
    expect(stream.state()).toEqual(before);
  }
  expect(() => streamOf([1, 2, 3], 'b').restore(state)).toThrow(words);
  expect(() =>
    streamOf(map((n: number) => n + 1, range(3))).restore(streamOf(map((n: number) => n, range(3))).state()),
  ).toThrow(words);
  streamOf([1, 2, 3]).restore(state);
});

test('the order in which sources are named does not matter where the order wanted is given', () => {
  const options = { sources: ['b', 'a'] };
  const state = new IterableDataset({ a: [1, 2], b: [3, 4] }, options).exampleStream().state();

  new IterableDataset({ b: [3, 4], a: [1, 2] }, options).exampleStream().restore(state);
});

test('an iterator that gives one buffer again and again gives other examples, and what is written to them stays there', async () => {
  const buffer = new Float32Array(1);
  const reused = map((index: number) => {
    buffer[0] = index;
    return buffer;
  }, range(4));
  const rows = [ndarray('float32', [1], Float32Array.of(10)), ndarray('float32', [1], Float32Array.of(20))];
  const read = async (source: ExampleSource): Promise<number[]> => {
    const stream = new IterableDataset(source).exampleStream();
    const values: number[] = [];
    for (let epoch = 0; epoch < 2; epoch += 1) {
      const arrays: NdArray[] = [];
      for (let example = await stream.next(); example !== undefined; example = await stream.next()) {
        const array = dense(example, 'data');
        if (array !== undefined) arrays.push(array);
      }
      for (const { data } of arrays) {
        values.push(Number(data[0]));
        data[0] = 7;
      }
      await stream.nextEpoch();
    }
    return values;
  };
  expect(await read(reused)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  expect(await read(rows)).toEqual([10, 20, 10, 20]);
});

test('a dataset without an end that has an index can be asked for by a scheme, and has no example stream', async () => {
  class Endless extends Dataset {
    readonly examplesCount = Infinity;

    async getData(request: Request): Promise<Batch> {
      return { columns: new Map([['data', ndarray('float64', [1], Float64Array.of(Number(request)))]]) };
    }

    override identity(): { readonly [key: string]: Json } {
      return {};
    }
  }
  const endless = new Endless({ providesSources: ['data'] });
  const stream = new DatasetStream(endless, new SequentialExampleScheme(2));
  expect(dense(await stream.next(), 'data').data[0]).toBe(0);
  expect(() => endless.exampleStream()).toThrow('there is no exampleIterationScheme');
});

test('an array is no iterable, and no sources are none', () => {
  // @ts-expect-error -- an array is no source of examples
  expect(() => new IterableDataset(ndarray('float32', [2], Float32Array.of(1, 2)))).toThrow('use IndexableDataset');
  expect(() => new IterableDataset({})).toThrow('there are no sources; give one at least');
});
