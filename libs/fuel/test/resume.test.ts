import * as fc from 'fast-check';
import {
  assertResumable,
  cycle,
  interleave,
  islice,
  map,
  ndarray,
  range,
  RandomStreams,
  StateMismatch,
  assertNever,
  type NdArray,
  type VersionedState,
} from '@longrun/serialization';
import { expect, test } from 'vitest';
import {
  Batching,
  Cache,
  Cast,
  ConcatenatedScheme,
  ConstantScheme,
  DatasetStream,
  FilterSources,
  Flatten,
  IterableDataset,
  Mapping,
  Rename,
  ScaleAndShift,
  SequentialExampleScheme,
  SequentialScheme,
  ShuffledExampleScheme,
  ShuffledScheme,
  Unpack,
  type DataStream,
  type IterationScheme,
} from '../src/index.js';
import { toyDataset } from './toy.js';

test('a stream that is saved and restored at any points gives what it would have given without', async () => {
  await fc.assert(
    fc.asyncProperty(chains, fc.array(fc.nat(60), { maxLength: 6 }), async (chain, cuts) => {
      const steps = 60;
      const uncut = await record(build(chain), steps);

      const cut: string[] = [];
      let stream = build(chain);
      let ended = false;
      for (let step = 0; step < steps; step += 1) {
        for (const _ of cuts.filter((at) => at === step)) {
          const state = saved(stream);
          stream = build(chain);
          stream.restore(state);
          expect(saved(stream)).toEqual(state);
        }
        const event = await advance(stream, ended);
        ended = event === END;
        cut.push(event);
      }

      expect(cut).toEqual(uncut);
    }),
    { numRuns: 300 },
  );
});

test('a stream can be taken back to any point it has been at', async () => {
  await fc.assert(
    fc.asyncProperty(chains, fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }), async (chain, returns) => {
      const steps = 40;
      const stream = build(chain);
      const states: VersionedState[] = [];
      const events: string[] = [];
      for (let step = 0; step < steps; step += 1) {
        states.push(saved(stream));
        events.push(await advance(stream, events.at(-1) === END));
      }

      for (const at of returns) {
        const state = states[at];
        if (state === undefined) continue;
        stream.restore(state);
        const again: string[] = [];
        for (let step = at; step < Math.min(at + 7, steps); step += 1) {
          again.push(await advance(stream, (again.at(-1) ?? events[step - 1]) === END));
        }
        expect(again).toEqual(events.slice(at, at + 7));
      }
    }),
    { numRuns: 200 },
  );
});

test('a stream can be saved before each batch and each end of an epoch', async () => {
  await assertResumable(
    () => {
      const random = new RandomStreams(5).stream('order');
      const examples = new Unpack(new DatasetStream(toyDataset(10), new ShuffledScheme(10, 4, { random })));
      return new Batching(examples, new ConstantScheme(3));
    },
    { epochs: 3 },
  );
});

test('a state is small, whatever the dataset and however far the stream', async () => {
  const random = new RandomStreams(3).stream('order');
  const stream = new Batching(
    new Unpack(new Flatten(new DatasetStream(toyDataset(5000), new ShuffledScheme(5000, 7, { random })))),
    new ConstantScheme(32),
  );
  for (let i = 0; i < 100; i += 1) await stream.next();

  expect(JSON.stringify(stream.state()).length).toBeLessThan(1000);
});

test('a state of a version to come is refused at every level, and leaves the stream as it was', async () => {
  const stream = new Batching(
    new Unpack(new DatasetStream(toyDataset(9), new SequentialScheme(9, 4))),
    new ConstantScheme(2),
  );
  await stream.next();
  const state = saved(stream);

  const below = stateIn(state);
  for (const wrong of [
    { ...state, version: 99 },
    { ...state, stream: { ...below, version: 99 } },
    { ...state, stream: { ...below, stream: { ...stateIn(below), version: 99 } } },
  ]) {
    expect(() => stream.restore(wrong)).toThrow(StateMismatch);
    expect(() => stream.restore(wrong)).toThrow(/version 99/);
  }

  expect(saved(stream)).toEqual(state);
});

test('a state of other transformers is refused', async () => {
  const dataset = toyDataset(9);
  const examples = new DatasetStream(dataset, new SequentialExampleScheme(9));
  const batching = new Batching(new DatasetStream(dataset, new SequentialExampleScheme(9)), new ConstantScheme(2));

  expect(() => batching.restore(examples.state())).toThrow(/Batching: the saved state is that of "DatasetStream"/);
  expect(() => examples.restore(batching.state())).toThrow(/DatasetStream: the saved state is that of "Batching"/);
});

type Link =
  | { readonly kind: 'flatten' | 'scale' | 'cast' | 'rename' | 'filter' | 'mapping' | 'unpack' }
  | { readonly kind: 'cache'; readonly size: number; readonly times: number | undefined }
  | { readonly kind: 'batching'; readonly size: number; readonly times: number | undefined; readonly drop: boolean };

const SCHEMES = ['sequential', 'shuffled', 'sorted', 'listed', 'concatenated', 'example', 'shuffled example'] as const;

interface Chain {
  readonly examples: number;
  readonly scheme: (typeof SCHEMES)[number] | 'none: iterables';
  readonly batchSize: number;
  readonly seed: number;
  readonly links: readonly Link[];
}

const chains: fc.Arbitrary<Chain> = fc.record({
  examples: fc.nat(20),
  scheme: fc.constantFrom(...SCHEMES, 'none: iterables'),
  batchSize: fc.integer({ min: 1, max: 8 }),
  seed: fc.nat(1000),
  links: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constantFrom('flatten', 'scale', 'cast', 'rename', 'filter', 'mapping', 'unpack') }),
      fc.record({
        kind: fc.constant('cache' as const),
        size: fc.integer({ min: 1, max: 9 }),
        times: fc.option(fc.nat(4), { nil: undefined }),
      }),
      fc.record({
        kind: fc.constant('batching' as const),
        size: fc.integer({ min: 1, max: 6 }),
        times: fc.option(fc.nat(4), { nil: undefined }),
        drop: fc.boolean(),
      }),
    ),
    { maxLength: 5 },
  ),
});

function build({ examples, scheme, batchSize, seed, links }: Chain): DataStream {
  const base: DataStream =
    scheme === 'none: iterables'
      ? iterables(examples, seed).exampleStream()
      : new DatasetStream(toyDataset(examples), schemeOf(scheme, examples, batchSize, seed));
  return links.reduce((stream, link) => around(stream, link), base);
}

/** As many examples of the same sources. */
function iterables(examples: number, seed: number): IterableDataset {
  const numbers = interleave([range(examples), range(100, 100 + (seed % 3))]);
  return new IterableDataset({
    features: map((n: number) => ndarray('uint8', [1, 3], Uint8Array.of(n, n + seed, 7)), islice(numbers, examples)),
    targets: islice(cycle([3, 1, 4, 1, 5]), examples),
  });
}

function schemeOf(kind: (typeof SCHEMES)[number], examples: number, batchSize: number, seed: number): IterationScheme {
  const random = new RandomStreams(seed).stream('order');
  switch (kind) {
    case 'sequential':
      return new SequentialScheme(examples, batchSize);
    case 'shuffled':
      return new ShuffledScheme(examples, batchSize, { random });
    case 'sorted':
      return new ShuffledScheme(examples, batchSize, { random, sortedIndices: true });
    case 'listed':
      return new ShuffledScheme(
        Array.from({ length: examples }, (_, i) => examples - 1 - i),
        batchSize,
        { random },
      );
    case 'concatenated':
      return new ConcatenatedScheme([
        new SequentialScheme(examples, batchSize),
        new ShuffledScheme(examples, batchSize, { random }),
      ]);
    case 'example':
      return new SequentialExampleScheme(examples);
    case 'shuffled example':
      return new ShuffledExampleScheme(examples, { random });
    default:
      return assertNever(kind);
  }
}

function around(stream: DataStream, link: Link): DataStream {
  switch (link.kind) {
    case 'flatten':
      return new Flatten(stream, [stream.sources[0] ?? '']);
    case 'scale':
      return new ScaleAndShift(stream, { scale: 0.5, shift: 1 });
    case 'cast':
      return new Cast(stream, { dtype: 'float32' });
    case 'rename':
      return new Rename(stream, { features: 'x' }, { onNonExistent: 'ignore' });
    case 'filter':
      return new FilterSources(stream, stream.sources.slice(0, 1));
    case 'mapping':
      return new Mapping(stream, (arrays) => new Map([...arrays].map(([source, array]) => [source, negated(array)])));
    case 'unpack':
      return stream.producesExamples ? stream : new Unpack(stream);
    case 'cache':
      if (stream.producesExamples) return stream;
      return new Cache(stream, new ConstantScheme(link.size, link.times === undefined ? {} : { times: link.times }));
    case 'batching':
      if (!stream.producesExamples) return stream;
      return new Batching(
        stream,
        new ConstantScheme(link.size, link.times === undefined ? {} : { times: link.times }),
        { shortBatch: link.drop ? 'drop' : 'keep' },
      );
    default:
      return assertNever(link);
  }
}

function negated(array: NdArray): NdArray {
  return ndarray(
    'float64',
    array.shape,
    Float64Array.from(Array.from(array.data, Number), (x) => -x),
  );
}

const END = 'end of the epoch';

async function record(stream: DataStream, steps: number): Promise<string[]> {
  const events: string[] = [];
  for (let step = 0; step < steps; step += 1) events.push(await advance(stream, events.at(-1) === END));
  return events;
}

async function advance(stream: DataStream, ended: boolean): Promise<string> {
  if (ended) {
    await stream.nextEpoch();
    return 'next epoch';
  }
  const batch = await stream.next();
  if (batch === undefined) return END;
  return JSON.stringify(
    [...batch.arrays].map(([name, { dtype, shape, data }]) => [name, dtype, shape, Array.from(data, Number)]),
  );
}

/** As it comes back from a file. */
function saved(stream: DataStream): VersionedState {
  return JSON.parse(JSON.stringify(stream.state())) as VersionedState;
}

function stateIn(state: VersionedState): VersionedState {
  const { stream } = state;
  if (typeof stream !== 'object' || stream === null || !('version' in stream))
    throw new Error('there is no state below');
  return stream as VersionedState;
}
