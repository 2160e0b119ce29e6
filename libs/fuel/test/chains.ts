import {
  assertNever,
  cycle,
  interleave,
  islice,
  map,
  ndarray,
  range,
  RandomStreams,
  type NdArray,
  type VersionedState,
} from '@longrun/serialization';
import * as fc from 'fast-check';
import {
  Batching,
  Cache,
  Cast,
  ConcatenatedScheme,
  ConstantScheme,
  DatasetStream,
  Filter,
  FilterSources,
  Flatten,
  ForceFloatX,
  isRagged,
  IterableDataset,
  Mapping,
  Merge,
  NGrams,
  Padding,
  Rename,
  ScaleAndShift,
  SequentialExampleScheme,
  SequentialScheme,
  ShuffledExampleScheme,
  ShuffledScheme,
  SortMapping,
  Unpack,
  Window,
  withElements,
  type Batch,
  type Column,
  type DataStream,
  type IterationScheme,
} from '../src/index.js';
import { toyDataset } from './toy.js';

const SIMPLE = [
  'flatten',
  'scale',
  'cast',
  'float',
  'rename',
  'filter sources',
  'mapping',
  'sort',
  'filter',
  'padding',
  'window',
  'n-grams',
  'unpack',
] as const;

type Link =
  | { readonly kind: (typeof SIMPLE)[number] }
  | { readonly kind: 'cache'; readonly size: number; readonly times: number | undefined }
  | { readonly kind: 'batching'; readonly size: number; readonly times: number | undefined; readonly drop: boolean };

const SCHEMES = ['sequential', 'shuffled', 'sorted', 'listed', 'concatenated', 'example', 'shuffled example'] as const;

/** A stream of any kind, and transformers of any kind around it. */
export interface Chain {
  readonly examples: number;
  readonly scheme: (typeof SCHEMES)[number] | 'none: iterables' | 'two merged';
  readonly batchSize: number;
  readonly seed: number;
  readonly links: readonly Link[];
}

export const chains: fc.Arbitrary<Chain> = fc.record({
  examples: fc.nat(20),
  scheme: fc.constantFrom(...SCHEMES, 'none: iterables', 'two merged'),
  batchSize: fc.integer({ min: 1, max: 8 }),
  seed: fc.nat(1000),
  links: fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom(...SIMPLE) }) },
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

export function build({ examples, scheme, batchSize, seed, links }: Chain): DataStream {
  return links.reduce((stream, link) => around(stream, link), baseOf(scheme, examples, batchSize, seed));
}

function baseOf(scheme: Chain['scheme'], examples: number, batchSize: number, seed: number): DataStream {
  if (scheme === 'none: iterables') return iterables(examples, seed).exampleStream();
  if (scheme !== 'two merged') {
    return new DatasetStream(toyDataset(examples), schemeOf(scheme, examples, batchSize, seed));
  }
  const streams = (['sequential', 'shuffled'] as const).map((kind) => baseOf(kind, examples, batchSize, seed));
  return new Merge(streams, ['features', 'targets', 'others', 'numbers']);
}

/** As many examples of the same sources, of several lengths. */
function iterables(examples: number, seed: number): IterableDataset {
  const numbers = interleave([range(examples), range(100, 100 + (seed % 3))]);
  return new IterableDataset({
    features: map((n: number) => Uint8Array.of(n, n + seed, 7, n).subarray(n % 4), islice(numbers, examples)),
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
  const { producesExamples, sources } = stream;
  const [first = ''] = sources;
  switch (link.kind) {
    case 'flatten':
      return new Flatten(stream, [first]);
    case 'scale':
      return new ScaleAndShift(stream, { scale: 0.5, shift: 1 });
    case 'cast':
      return new Cast(stream, { dtype: 'float32' });
    case 'float':
      return new ForceFloatX(stream);
    case 'rename':
      return new Rename(stream, { features: 'x' }, { onNonExistent: 'ignore' });
    case 'filter sources':
      return new FilterSources(stream, [first]);
    case 'mapping':
      return new Mapping(stream, (columns, { epoch, index }) => {
        const changed = (elements: NdArray): NdArray => placed(elements, epoch * 100 + index);
        return new Map([...columns].map(([source, column]) => [source, withElements(column, changed)]));
      });
    case 'sort':
      if (producesExamples) return stream;
      return new Mapping(stream, new SortMapping((example) => -Number(example.get(first)?.data[0] ?? 0)));
    case 'filter':
      return new Filter(stream, (_columns, { index }) => index % 3 !== 1);
    case 'padding':
      if (producesExamples || sources.includes(`${first}_mask`)) return stream;
      return new Padding(stream, { maskSources: [first], maskDtype: 'uint8' });
    case 'window':
    case 'n-grams': {
      if (!producesExamples || sources.includes('targets')) return stream;
      const sequences = new Flatten(new FilterSources(stream, [first]), [first]);
      if (link.kind === 'n-grams') return new NGrams(sequences, 2);
      return new Window(sequences, { offset: -1, sourceWindow: 2, targetWindow: 1, overlapping: true });
    }
    case 'unpack':
      return producesExamples ? stream : new Unpack(stream);
    case 'cache':
      if (producesExamples) return stream;
      return new Cache(stream, new ConstantScheme(link.size, link.times === undefined ? {} : { times: link.times }));
    case 'batching':
      if (!producesExamples) return stream;
      return new Batching(
        stream,
        new ConstantScheme(link.size, link.times === undefined ? {} : { times: link.times }),
        { shortBatch: link.drop ? 'drop' : 'keep' },
      );
    default:
      return assertNever(link);
  }
}

function placed(array: NdArray, number: number): NdArray {
  return ndarray(
    'float64',
    array.shape,
    Float64Array.from(Array.from(array.data, Number), (x) => number - x),
  );
}

export const END = 'end of the epoch';

/** What comes of so many steps. */
export async function record(stream: DataStream, steps: number): Promise<string[]> {
  const events: string[] = [];
  for (let step = 0; step < steps; step += 1) events.push(await advance(stream, events.at(-1) === END));
  return events;
}

/** What comes of a step: the next epoch if this one has ended, else what is next. */
export async function advance(stream: DataStream, ended: boolean): Promise<string> {
  if (ended) {
    await stream.nextEpoch();
    return 'next epoch';
  }
  const delivery = await stream.next();
  return delivery === undefined ? END : `${delivery.epoch}/${delivery.index}: ${shown(delivery)}`;
}

export function shown({ columns }: Batch): string {
  return JSON.stringify([...columns].map(([name, column]) => [name, ...plain(column)]));
}

function plain(column: Column): readonly unknown[] {
  if (isRagged(column)) return [...plain(column.values), ...plain(column.shapes)];
  return [column.dtype, column.shape, Array.from(column.data, Number)];
}

/** As it comes back from a file. */
export function saved(stream: { state(): VersionedState }): VersionedState {
  return JSON.parse(JSON.stringify(stream.state()));
}
