import { readFileSync } from 'node:fs';
import path from 'node:path';

import { map, ndarray, RandomStreams, range, StateMismatch, type VersionedState } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  Batching,
  Cache,
  Cast,
  ConstantScheme,
  DatasetStream,
  denseIn,
  FilterSources,
  Flatten,
  ForceFloatX,
  H5Dataset,
  IndexableDataset,
  IterableDataset,
  Mapping,
  Padding,
  Rename,
  ScaleAndShift,
  SequentialExampleScheme,
  SequentialScheme,
  ShuffledScheme,
  SortMapping,
  Unpack,
  writeH5Dataset,
  type BatchingOptions,
  type DataStream,
  type H5DatasetOptions,
  type MappingFunction,
} from '../src/index.js';
import { temporaryFolder } from './folder.js';
import { dense, toyDataset } from './toy.js';

interface SavedStates {
  /** `rest` is what the build that wrote the state gave after it: the targets of batches, or what else there was. */
  readonly states: readonly {
    readonly kind: string;
    readonly at: number;
    readonly state: VersionedState;
    readonly rest: readonly unknown[];
  }[];
}

const states = ['states-version-1', 'states-without-options'].flatMap((name): SavedStates['states'] => {
  const saved: SavedStates = JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
  return saved.states;
});

function shuffled(): DataStream {
  const random = new RandomStreams(5).stream('order');
  return new DatasetStream(toyDataset(10), new ShuffledScheme(10, 4, { random }));
}

function built(kind: string): DataStream {
  switch (kind) {
    case 'DatasetStream':
      return shuffled();
    case 'Unpack':
      return new Unpack(shuffled());
    case 'Batching':
      return new Batching(new Unpack(shuffled()), new ConstantScheme(3));
    case 'ScaleAndShift around DatasetStream':
      return new ScaleAndShift(shuffled(), { scale: 0.5, shift: 0, whichSources: ['features'] });
    case 'Cache around Mapping around DatasetStream':
      return new Cache(new Mapping(shuffled(), (columns) => columns), new ConstantScheme(3));
    case 'Rename around Batching around Flatten around Unpack around DatasetStream':
      return new Rename(new Batching(new Flatten(new Unpack(shuffled())), new ConstantScheme(3)), { features: 'x' });
    case 'Batching around Cast around IterableDataset': {
      const dataset = new IterableDataset({ targets: map((n: number) => 2 * n, range(7)) });
      return new Batching(new Cast(dataset.exampleStream(), { dtype: 'int32' }), new ConstantScheme(3));
    }
    default:
      throw new Error(`there is a state of ${kind}, which this test cannot build`);
  }
}

describe('a state that an earlier build wrote', () => {
  test.each(states)('is gone on from exactly: $kind, after $at steps', async ({ kind, state, rest }) => {
    const stream = built(kind);
    stream.restore(state);

    let ended = rest[0] === 'next epoch';
    for (const expected of rest) {
      if (ended) await stream.nextEpoch();
      const batch = ended ? 'next epoch' : await stream.next();
      ended = batch === undefined;
      const given = typeof batch === 'object' ? Array.from(dense(batch, 'targets').data, Number) : batch;
      expect(given ?? 'end of the epoch').toEqual(expected);
    }
  });
});

describe('the state of a stream over another dataset is refused, naming both:', () => {
  const over = (dataset: IndexableDataset | H5Dataset): DataStream =>
    new DatasetStream(dataset, new SequentialScheme(dataset.examplesCount, 2));
  const refuses = (stream: DataStream, state: VersionedState, words: RegExp): void => {
    const before = stream.state();
    expect(() => stream.restore(state)).toThrow(StateMismatch);
    expect(() => stream.restore(state)).toThrow(words);
    expect(stream.state()).toEqual(before);
  };
  const targets = (values: readonly number[]): IndexableDataset =>
    new IndexableDataset({ targets: ndarray('int32', [values.length], Int32Array.from(values)) });

  test('other examples', () => {
    refuses(
      over(targets([1, 2, 3, 5])),
      over(targets([1, 2, 3, 4])).state(),
      /DatasetStream: the state was saved with the dataset \{"examples":4,.*\}, but this one has \{"examples":4,.*same dataset/,
    );
    const same = over(targets([1, 2, 3, 4]));
    same.restore(over(targets([1, 2, 3, 4])).state());
  });

  test('another number of examples, though the scheme goes through as many', () => {
    const longer = new DatasetStream(targets([1, 2, 3, 4, 5]), new SequentialScheme(4, 2));
    refuses(longer, over(targets([1, 2, 3, 4])).state(), /"examples":4.*"examples":5/);
  });

  test('other sources, another dtype, another shape', () => {
    const data = ndarray('int32', [4], Int32Array.of(1, 2, 3, 4));
    const state = over(new IndexableDataset({ targets: data })).state();
    for (const arrays of [
      { labels: data },
      { targets: data, labels: data },
      { targets: ndarray('float32', [4], Float32Array.of(1, 2, 3, 4)) },
      { targets: ndarray('int32', [4, 1], Int32Array.of(1, 2, 3, 4)) },
    ]) {
      refuses(over(new IndexableDataset(arrays)), state, /with the dataset .*but this one has/);
    }
  });

  test('another split, or another part of it, of an HDF5 file; how it is read does not matter', async () => {
    const file = path.join(await temporaryFolder(), 'numbers.hdf5');
    const rows = { train: { y: { start: 0, stop: 4 } }, test: { y: { start: 4, stop: 8 } } };
    await writeH5Dataset(file, async (writer) => {
      await writer.append({
        y: ndarray(
          'uint8',
          [8],
          Uint8Array.from({ length: 8 }, (_, i) => i),
        ),
      });
      return rows;
    });
    const open = async (split: string, more: Partial<H5DatasetOptions> = {}): Promise<DataStream> =>
      over(await H5Dataset.open(file, { whichSets: [split], ...more }));
    const streams = [
      await open('train'),
      await open('train', { loadInMemory: true }),
      await open('test'),
      await open('train', { subset: { start: 0, stop: 2 } }),
      await open('train', { subset: { start: 1, stop: 3 } }),
    ] as const;
    const [train, inMemory, other, first, second] = streams;

    inMemory.restore(train.state());
    refuses(other, train.state(), /with the dataset .*but this one has/);
    refuses(first, second.state(), /with the dataset .*but this one has/);
    for (const stream of streams) await stream.close();
    expect(train.state()).toEqual(inMemory.state());
  });
});

test('the state of batches of another size, or with other short batches, is refused, naming both', () => {
  const batches = (size: number, options: BatchingOptions = {}): DataStream =>
    new Batching(new DatasetStream(toyDataset(9), new SequentialExampleScheme(9)), new ConstantScheme(size), options);
  expect(() => batches(3).restore(batches(2).state())).toThrow(StateMismatch);
  expect(() => batches(3).restore(batches(2).state())).toThrow(
    /Batching: the state was saved with the batches .*"size":2.*but this one has .*"size":3/,
  );
  expect(() => batches(2, { shortBatch: 'drop' }).restore(batches(2).state())).toThrow(/"keep".*"drop"/);
  batches(2, { shortBatch: 'keep' }).restore(batches(2).state());
});

const twice: MappingFunction = (columns) => {
  const targets = denseIn(columns, 'targets');
  return new Map([
    ['y', targets],
    ['z', targets],
  ]);
};

const OPTIONS: readonly (readonly [
  string,
  (stream: DataStream) => DataStream,
  (stream: DataStream) => DataStream,
  RegExp,
])[] = [
  [
    'ScaleAndShift',
    (stream) => new ScaleAndShift(stream, { scale: 1 / 255, shift: 0 }),
    (stream) => new ScaleAndShift(stream, { scale: 1 / 256, shift: 0 }),
    /"scale":0.00392.*"scale":0.00390/,
  ],
  [
    'ScaleAndShift to another dtype',
    (stream) => new ScaleAndShift(stream, { scale: 2, shift: 0 }),
    (stream) => new ScaleAndShift(stream, { scale: 2, shift: 0, dtype: 'float32' }),
    /\{"scale":2,"shift":0,"whichSources".*\{"scale":2,"shift":0,"dtype":"float32"/,
  ],
  [
    'Cast',
    (stream) => new Cast(stream, { dtype: 'float32' }),
    (stream) => new Cast(stream, { dtype: 'float32', whichSources: ['targets'] }),
    /\["features","targets"\].*\["targets"\]/,
  ],
  [
    'ForceFloatX',
    (stream) => new ForceFloatX(stream),
    (stream) => new ForceFloatX(stream, { floatX: 'float64' }),
    /"floatX":"float32".*"floatX":"float64"/,
  ],
  ['Flatten', (stream) => new Flatten(stream), (stream) => new Flatten(stream, ['targets']), /features.*has.*targets/],
  [
    'FilterSources',
    (stream) => new FilterSources(stream, ['targets']),
    (stream) => new FilterSources(stream, ['features']),
    /"sources":\["targets"\].*"sources":\["features"\]/,
  ],
  [
    'Rename',
    (stream) => new Rename(stream, { features: 'x' }),
    (stream) => new Rename(stream, { features: 'y' }),
    /"features":"x".*"features":"y"/,
  ],
  [
    'Mapping',
    (stream) => new Mapping(stream, twice, { addSources: ['y'] }),
    (stream) => new Mapping(stream, twice, { addSources: ['z'] }),
    /"addSources":\["y"\].*"addSources":\["z"\]/,
  ],
  [
    'Mapping that sorts',
    (stream) => new Mapping(stream, new SortMapping(() => 0)),
    (stream) => new Mapping(stream, new SortMapping(() => 0, { reverse: true })),
    /"reverse":false.*"reverse":true/,
  ],
  [
    'Padding',
    (stream) => new Padding(stream),
    (stream) => new Padding(stream, { maskDtype: 'uint8' }),
    /"maskDtype":"float32".*"maskDtype":"uint8"/,
  ],
];

test.each(OPTIONS)(
  'the state of a %s with other options is refused, naming both',
  async (_kind, make, other, words) => {
    const [stream, different] = [make(shuffled()), other(shuffled())];
    await stream.next();
    const before = different.state();

    expect(() => different.restore(stream.state())).toThrow(StateMismatch);
    expect(() => different.restore(stream.state())).toThrow(
      /the state was saved with the options .* but this one has /,
    );
    expect(() => different.restore(stream.state())).toThrow(words);
    expect(different.state()).toEqual(before);
    make(shuffled()).restore(stream.state());
  },
);

test('the state of a stream without a transformer, or with another, is refused', () => {
  const cast = (stream: DataStream): DataStream => new Cast(stream, { dtype: 'float32' });

  expect(() => cast(shuffled()).restore(shuffled().state())).toThrow(
    /Cast: the saved state is that of "DatasetStream"/,
  );
  expect(() => cast(shuffled()).restore(new Flatten(shuffled()).state())).toThrow(/Cast: .* that of "Flatten"/);
  expect(() => shuffled().restore(cast(shuffled()).state())).toThrow(/DatasetStream: .* that of "Cast"/);
  expect(() => cast(new Unpack(shuffled())).restore(new Unpack(shuffled()).state())).toThrow(/that of "Unpack"/);
});
