import { join } from 'node:path';
import { inspect } from 'node:util';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';
import {
  Batching,
  Cache,
  ConstantScheme,
  DatasetStream,
  Filter,
  H5Dataset,
  IterableDataset,
  Mapping,
  Merge,
  NGrams,
  Rename,
  ScaleAndShift,
  SequentialScheme,
  ShuffledExampleScheme,
  SortMapping,
  writeH5Dataset,
} from '../src/index.js';
import { temporaryFolder } from './folder.js';
import { toyDataset } from './toy.js';

test('a pipeline prints itself, the outermost stage first, on a line or a line each', async () => {
  const file = join(await temporaryFolder(), 'fashion-mnist.hdf5');
  await writeH5Dataset(
    file,
    async (writer) => {
      await writer.append({ features: ndarray('uint8', [4, 2]) });
      return { train: { features: { start: 0, stop: 4 } } };
    },
    { axisLabels: { features: ['batch', 'feature'] } },
  );
  const dataset = await H5Dataset.open(file, { whichSets: ['train'] });
  const random = new RandomStreams(1).stream('order');
  const stream = new Batching(
    new DatasetStream(dataset, new ShuffledExampleScheme(4, { random })),
    new ConstantScheme(128),
  );

  expect(String(stream)).toBe('Batching(128) ← ShuffledExampleScheme(4) ← fashion-mnist[train]');
  expect(inspect(stream)).toBe(
    [
      'batches of features (batch, feature)',
      '  ← Batching(128)',
      '  ← ShuffledExampleScheme(4)',
      '  ← fashion-mnist[train]',
    ].join('\n'),
  );
  await stream.close();
});

test('stages say their options', () => {
  const batches = new DatasetStream(toyDataset(9), new SequentialScheme(9, 4));
  const scaled = new ScaleAndShift(batches, { scale: 0.5, shift: 1, whichSources: ['features'] });
  const cached = new Cache(new Mapping(scaled, new SortMapping(() => 0)), new ConstantScheme(2, { times: 3 }));
  const words = new IterableDataset({ words: [[1, 2, 3]] }).exampleStream();
  const kept = new Filter(new Rename(new NGrams(words, 2), { words: 'x' }), function isKnown() {
    return true;
  });

  expect(String(cached)).toBe(
    'Cache(2, batches 3) ← Mapping(SortMapping) ← ScaleAndShift(scale 0.5, shift 1, whichSources features) ← ' +
      'SequentialScheme(9, 4) ← IndexableDataset(9)',
  );
  expect(String(kept)).toBe('Filter(isKnown) ← Rename(words to x) ← NGrams(2) ← IterableDataset(1)');
  expect(String(new Merge([batches], ['a', 'b']))).toBe(
    'Merge(a, b) of [SequentialScheme(9, 4) ← IndexableDataset(9)]',
  );
});
