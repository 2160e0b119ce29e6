// A small stream of every dataset, scheme and transformer, that threads build too: plain JavaScript, as a thread loads no TypeScript everywhere.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// oxlint-disable-next-line @nx/enforce-module-boundaries -- threads have the library as it is built, and tests its sources
import {
  Batching,
  BucketedScheme,
  bytesOfText,
  Cache,
  Cast,
  CenterCrop,
  ConcatenatedScheme,
  ConstantScheme,
  DatasetStream,
  DictionaryTokenizer,
  Filter,
  FilterSources,
  Flatten,
  ForceFloatX,
  FuelConfiguration,
  H5Dataset,
  ImagesFromBytes,
  IndexableDataset,
  IterableDataset,
  KeyedShuffledExampleScheme,
  KeyedShuffledScheme,
  Mapping,
  Merge,
  MinimumImageDimensions,
  Mixture,
  NGrams,
  OneBillionWord,
  Padding,
  ParallelMapping,
  Prefetch,
  PytablesDataset,
  Random2DRotation,
  RandomColor,
  RandomFixedSizeCrop,
  RandomHorizontalFlip,
  Rename,
  Resize,
  ScaleAndShift,
  SequentialExampleScheme,
  SequentialScheme,
  ShardedScheme,
  ShuffledExampleScheme,
  ShuffledScheme,
  SortMapping,
  Spiral,
  stackRows,
  StratifiedScheme,
  SwissRoll,
  takeRow,
  TextFile,
  ToBytes,
  Tokenizing,
  Unpack,
  WeightedScheme,
  Window,
  WindowShuffledScheme,
} from '@longrun/fuel';
import { chain, iterate, ndarray, RandomAt, RandomKey, RandomStreams } from '@longrun/serialization';

const EXAMPLES = 3;
const LENGTHS = [3, 1, 4];
const DICTIONARY = { '<S>': 0, '</S>': 1, '<UNK>': 2, a: 3, b: 4, c: 5 };
// Two PNG files of two by one pixels.
const FILES = [
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAD0lEQVQImWNgZGJmYWUDAAA/ABajRWCVAAAAAElFTkSuQmCC',
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAD0lEQVQImWM4kWLEycEOAAelAXeT21CpAAAAAElFTkSuQmCC',
].map((text) => Buffer.from(text, 'base64'));
const key = () => new RandomKey(3, 'order');
const random = () => new RandomStreams(4).stream('order');
const counting = (dtype, shape, first) => {
  const array = ndarray(dtype, shape);
  array.data.forEach((_, i) => (array.data[i] = (first * 31 + i * 7) % 251));
  return array;
};
const columnOf = (make, source) =>
  stackRows(
    Array.from({ length: EXAMPLES }, (_, i) => make(i)),
    source,
  );

/** A source of each kind. */
export const COLUMNS = {
  images: columnOf((i) => counting('uint8', [3, 3, 4], i), 'images'),
  numbers: columnOf((i) => counting('float32', [2], i), 'numbers'),
  sequences: columnOf((i) => counting('int32', [LENGTHS[i]], i), 'sequences'),
  files: columnOf((i) => ndarray('uint8', [FILES[i % 2].length], Uint8Array.from(FILES[i % 2])), 'files'),
  texts: columnOf((i) => bytesOfText(['a b', '', 'c d a'][i]), 'texts'),
};

/** The text that TextFile and OneBillionWord read. */
export const TEXT = 'a b c\n\nc d b\n';
export const ONE_BILLION_WORD = '1-billion-word/heldout-monolingual.tokenized.shuffled/news.en.heldout-00003-of-00050';

const WORDS = { sequences: 'features' };
const ALL = { images: 'images', numbers: 'numbers', sequences: 'sequences', files: 'files', texts: 'texts' };

/** Each dataset, and which of its sources is of which kind. */
export const DATASETS = {
  H5Dataset: {
    kinds: ALL,
    make: ({ folder }) => H5Dataset.open(join(folder, 'all.hdf5'), { whichSets: ['all'] }),
  },
  IndexableDataset: { kinds: ALL, make: () => new IndexableDataset(COLUMNS) },
  IterableDataset: {
    kinds: ALL,
    make: () =>
      new IterableDataset(
        Object.fromEntries(
          Object.entries(COLUMNS).map(([source, column]) => {
            const rows = Array.from({ length: EXAMPLES }, (_, i) => takeRow(column, i));
            return [source, chain(iterate(rows.slice(0, 2)), rows.slice(2))];
          }),
        ),
      ),
  },
  OneBillionWord: {
    kinds: WORDS,
    make: ({ folder }) =>
      new OneBillionWord('heldout', [3], DICTIONARY, {
        from: new FuelConfiguration({ home: folder, environment: { FUEL_DATA_PATH: folder } }),
      }),
  },
  PytablesDataset: {
    kinds: { numbers: 'X' },
    make: () =>
      PytablesDataset.open(fileURLToPath(new URL('../goldens/pytables.hdf5', import.meta.url)), {
        sources: ['X'],
        start: 1,
        stop: 1 + EXAMPLES,
      }),
  },
  Spiral: { kinds: { numbers: 'features' }, make: () => new Spiral({ examplesCount: EXAMPLES }) },
  SwissRoll: { kinds: { numbers: 'features' }, make: () => new SwissRoll({ examplesCount: EXAMPLES, noise: 0.1 }) },
  TextFile: { kinds: WORDS, make: ({ folder }) => new TextFile([join(folder, 'text')], DICTIONARY) },
};

const by = (scheme) => (dataset) => new DatasetStream(dataset, scheme());

/** A stream of a dataset by each scheme. */
export const SCHEMES = {
  BucketedScheme: by(() => new BucketedScheme(LENGTHS, 2, { key: key(), window: 1 })),
  ConcatenatedScheme: by(
    () => new ConcatenatedScheme([new SequentialScheme(1, 1), new ShuffledScheme(EXAMPLES, 2, { random: random() })]),
  ),
  ConstantScheme: (dataset) => new Batching(dataset.exampleStream(), new ConstantScheme(2, { times: 2 })),
  KeyedShuffledExampleScheme: by(() => new KeyedShuffledExampleScheme(EXAMPLES, { key: key() })),
  KeyedShuffledScheme: by(() => new KeyedShuffledScheme(EXAMPLES, 2, { key: key() })),
  SequentialExampleScheme: by(() => new SequentialExampleScheme(EXAMPLES)),
  SequentialScheme: by(() => new SequentialScheme(EXAMPLES, 2)),
  ShardedScheme: by(
    () => new ShardedScheme(new ShuffledScheme(EXAMPLES, 2, { random: random() }), { index: 1, count: 2 }),
  ),
  ShuffledExampleScheme: by(() => new ShuffledExampleScheme(EXAMPLES, { random: random() })),
  ShuffledScheme: by(() => new ShuffledScheme(EXAMPLES, 2, { random: random() })),
  StratifiedScheme: by(() => new StratifiedScheme([0, 1, 0], 2, { key: key() })),
  WeightedScheme: by(() => new WeightedScheme([1, 0, 3], 2, { key: key() })),
  WindowShuffledScheme: by(() => new WindowShuffledScheme(EXAMPLES, 2, { key: key(), chunk: 2, window: 2 })),
};

const elsewhere = { module: import.meta.url, factory: 'adding', argument: null };
const examplesOf = (stream) => (stream.producesExamples ? stream : new Unpack(stream));
const batchesOf = (stream) => (stream.producesExamples ? new Batching(stream, new ConstantScheme(2)) : stream);
const at = (columnsOfBatch) => [...columnsOfBatch.values()][0];

/** A stream of each transformer around another one of a source `x` of the kind that it takes; `again` builds that once more. */
export const STREAMS = {
  Batching: { kind: 'sequences', make: (stream) => new Batching(examplesOf(stream), new ConstantScheme(3)) },
  Cache: { kind: 'sequences', make: (stream) => new Cache(batchesOf(stream), new ConstantScheme(2)) },
  Cast: { kind: 'numbers', make: (stream) => new Cast(stream, { dtype: 'float64' }) },
  CenterCrop: { kind: 'images', make: (stream) => new CenterCrop(stream, { windowShape: [2, 2] }) },
  DatasetStream: { kind: 'numbers', make: (stream) => stream },
  Filter: { kind: 'numbers', make: (stream) => new Filter(stream, (_columns, { index }) => index % 3 !== 1) },
  FilterSources: { kind: 'numbers', make: (stream) => new FilterSources(stream, ['x']) },
  Flatten: { kind: 'images', make: (stream) => new Flatten(stream, ['x']) },
  ForceFloatX: { kind: 'numbers', make: (stream) => new ForceFloatX(stream) },
  ImagesFromBytes: { kind: 'files', make: (stream) => new ImagesFromBytes(stream) },
  IterableStream: { kind: 'numbers', make: (stream) => stream },
  Mapping: {
    kind: 'sequences',
    make: (stream) => new Mapping(batchesOf(stream), new SortMapping((example) => -at(example).data.length)),
  },
  Merge: { kind: 'numbers', make: (stream, again) => new Merge([stream, again()], ['x', 'y']) },
  MinimumImageDimensions: {
    kind: 'images',
    make: (stream) => new MinimumImageDimensions(stream, { minimumShape: [5, 5] }),
  },
  Mixture: {
    kind: 'numbers',
    make: (stream, again) =>
      new Mixture([stream, again()], { weights: [2, 1], key: new RandomKey(5, 'mixture'), perEpoch: 3 }),
  },
  NGrams: { kind: 'sequences', make: (stream) => new NGrams(examplesOf(stream), 2) },
  Padding: { kind: 'sequences', make: (stream) => new Padding(batchesOf(stream), { maskDtype: 'uint8' }) },
  ParallelMapping: {
    kind: 'numbers',
    make: (stream) => ParallelMapping.start(stream, { ...elsewhere, threads: 0 }),
  },
  Prefetch: { kind: 'numbers', make: (stream) => new Prefetch(stream, 2) },
  Random2DRotation: { kind: 'images', make: (stream) => new Random2DRotation(stream, { seed: 1 }) },
  RandomColor: { kind: 'images', make: (stream) => new RandomColor(stream, { seed: 1, brightness: 0.4 }) },
  RandomFixedSizeCrop: {
    kind: 'images',
    make: (stream) => new RandomFixedSizeCrop(stream, { windowShape: [2, 2], seed: 1 }),
  },
  RandomHorizontalFlip: { kind: 'images', make: (stream) => new RandomHorizontalFlip(stream, { seed: 1 }) },
  Rename: { kind: 'numbers', make: (stream) => new Rename(stream, { x: 'y' }) },
  Resize: { kind: 'images', make: (stream) => new Resize(stream, { shape: [2, 2] }) },
  ScaleAndShift: { kind: 'numbers', make: (stream) => new ScaleAndShift(stream, { scale: 0.5, shift: 1 }) },
  Tokenizing: {
    kind: 'texts',
    make: (stream) => new Tokenizing(stream, { tokenizer: new DictionaryTokenizer(DICTIONARY) }),
  },
  ToBytes: { kind: 'sequences', make: (stream) => new ToBytes(stream) },
  Unpack: { kind: 'sequences', make: (stream) => new Unpack(batchesOf(stream)) },
  Window: {
    kind: 'sequences',
    make: (stream) =>
      new Window(examplesOf(stream), { offset: -1, sourceWindow: 2, targetWindow: 1, overlapping: true }),
  },
};

/** The mapping of ParallelMapping: what is drawn for each batch or example by its place, added to it. */
export function adding() {
  return (columnsOfBatch, { epoch, index }) => {
    const amount = new RandomAt(new RandomKey(6, 'adding'), epoch, index).uniform();
    const { dtype, shape, data } = at(columnsOfBatch);
    return new Map([
      [
        'x',
        ndarray(
          dtype,
          shape,
          data.map((value) => value + amount),
        ),
      ],
    ]);
  };
}

const opened = new Map();

/** A dataset that stays open, as a stream of it does. */
async function datasetOf(name, folder) {
  if (!opened.has(name)) {
    const dataset = await DATASETS[name].make({ folder });
    opened.set(name, { dataset, held: dataset.exampleStream() });
  }
  return opened.get(name).dataset;
}

/** Lets go of all datasets. */
export async function closeAll() {
  for (const { held } of opened.values()) await held.close();
  opened.clear();
}

/** A stream of a dataset, by a scheme or, of a dataset that has none, of its examples, with a transformer around it. */
export async function pipeline({ dataset, scheme, transformer, folder }) {
  const { kind, make } = STREAMS[transformer];
  const source = DATASETS[dataset].kinds[kind];
  const from = await datasetOf(dataset, folder);
  const base = () => {
    const stream = scheme === null ? from.exampleStream() : SCHEMES[scheme](from);
    return new Rename(new FilterSources(stream, [source]), { [source]: 'x' });
  };
  return await make(base(), base);
}

/** One stream of as many stages as go one after the other, for a thread. */
export async function long({ threads = 0, execArgv } = {}) {
  const dataset = new IndexableDataset(COLUMNS);
  const stream = new DatasetStream(dataset, new ShuffledScheme(EXAMPLES, 2, { random: random() }));
  const images = new RandomColor(
    new Random2DRotation(
      new RandomHorizontalFlip(
        new RandomFixedSizeCrop(
          new Resize(new ImagesFromBytes(new Rename(new FilterSources(stream, ['files']), { files: 'x' })), {
            shape: [4, 4],
          }),
          { windowShape: [3, 3], seed: 1 },
        ),
        { seed: 1 },
      ),
      { seed: 1 },
    ),
    { seed: 1, contrast: 0.3 },
  );
  const cached = new Cache(
    new Batching(new Filter(new Unpack(images), (_c, { index }) => index !== 2), new ConstantScheme(4)),
    new ConstantScheme(2),
  );
  const numbers = new ScaleAndShift(new Cast(new Flatten(cached, ['x']), { dtype: 'float32' }), { scale: 2, shift: 1 });
  return await ParallelMapping.start(numbers, { ...elsewhere, threads, ...(execArgv !== undefined && { execArgv }) });
}
