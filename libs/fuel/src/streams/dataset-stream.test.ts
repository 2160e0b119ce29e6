import { ndarray, RandomStreams, StateMismatch } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain, elements, toyDataset } from '../../test/toy.js';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { ShuffledScheme } from '../schemes/shuffled-scheme.js';
import { uint8PixelsToFloat } from '../transformers/defaults.js';
import { DatasetStream } from './dataset-stream.js';
import { remainingBatches } from './iterate.js';

test('2.4-05, 2.4-07, 2.4-08, 2.4-10, 2.4-13: an epoch ends, stays at its end, and another one starts when asked for', async () => {
  const stream = new DatasetStream(toyDataset(3), new SequentialScheme(3, 2));

  expect(elements(await drain(stream), 'targets')).toEqual([[0, 1], [2]]);
  expect(await stream.next()).toBeUndefined();
  await stream.nextEpoch();
  expect(elements(await drain(stream), 'targets')).toEqual([[0, 1], [2]]);
});

test('an epoch can be left in the middle', async () => {
  const stream = new DatasetStream(toyDataset(4), new SequentialScheme(4, 2));
  await stream.next();
  await stream.nextEpoch();

  const batches = [];
  for await (const batch of remainingBatches(stream)) batches.push(batch);

  expect(elements(batches, 'targets')).toEqual([
    [0, 1],
    [2, 3],
  ]);
});

test('2.1-34, 2.4-06: axis labels of examples have no batch', () => {
  const dataset = toyDataset(3);

  expect(new DatasetStream(dataset, new SequentialScheme(3, 2)).axisLabels?.get('features')).toEqual([
    'batch',
    'height',
    'width',
  ]);
  expect(new DatasetStream(dataset, new SequentialExampleScheme(3)).axisLabels?.get('features')).toEqual([
    'height',
    'width',
  ]);
});

test('2.1-02, 2.1-03, 2.1-35, 2.4-14: the default stream has the transformers of the dataset', async () => {
  const dataset = toyDataset(3, { defaultTransformers: uint8PixelsToFloat(['features']) });

  const batch = await DatasetStream.defaultStream(dataset, new SequentialScheme(3, 1)).next();

  expect(dense(batch, 'features')).toEqual(
    ndarray(
      'float32',
      [1, 2, 3],
      Float32Array.from([0, 1, 2, 3, 4, 5], (x) => x / 255),
    ),
  );
});

test('the state of another scheme, size or seed is refused with both, and the order of keys does not matter', async () => {
  const stream = (seed: number, size = 2): DatasetStream =>
    new DatasetStream(toyDataset(6), new ShuffledScheme(6, size, { random: new RandomStreams(seed).stream('order') }));
  const original = stream(1);
  await original.next();
  const { scheme, ...rest } = original.state();
  const reordered = { scheme: Object.fromEntries(Object.entries(scheme ?? {}).toReversed()), ...rest };

  expect(() => stream(2).restore(original.state())).toThrow(StateMismatch);
  expect(() => stream(1, 3).restore(original.state())).toThrow(/"batchSize":2.*"batchSize":3/);
  const restored = stream(1);
  restored.restore(reordered);
  expect(restored.state()).toEqual(original.state());
});

test('a damaged position is refused', () => {
  const stream = new DatasetStream(toyDataset(6), new SequentialScheme(6, 2));

  for (const position of [-1, 0.5, '1', null]) {
    expect(() => stream.restore({ ...stream.state(), position })).toThrow(/position .* whole number/);
  }
});

test('a read that failed delivered nothing, and can be tried again', async () => {
  class Flaky extends IndexableDataset {
    failures = 1;
    override async getData(request: Parameters<IndexableDataset['getData']>[0]) {
      if (this.failures > 0) {
        this.failures -= 1;
        throw new Error('the disk is away');
      }
      return super.getData(request);
    }
  }
  const dataset = new Flaky({ targets: ndarray('uint8', [2], Uint8Array.of(7, 8)) });
  const stream = new DatasetStream(dataset, new SequentialScheme(2, 1));

  await expect(stream.next()).rejects.toThrow('the disk is away');
  expect(elements(await drain(stream), 'targets')).toEqual([[7], [8]]);
});
