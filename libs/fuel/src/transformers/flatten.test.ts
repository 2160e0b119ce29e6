import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, toyDataset } from '../../test/toy.js';
import { IterableDataset } from '../datasets/iterable-dataset.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Batching } from './batching.js';
import { Flatten } from './flatten.js';

test('2.5-08: a batch keeps its first axis', async () => {
  const stream = new Flatten(new DatasetStream(toyDataset(3), new SequentialScheme(3, 2)), ['features']);

  const batch = await stream.next();

  expect(dense(batch, 'features').shape).toEqual([2, 6]);
  expect(dense(batch, 'features').data).toEqual(Uint8Array.from({ length: 12 }, (_, i) => i));
  expect(dense(batch, 'targets').shape).toEqual([2, 1]);
  expect(stream.axisLabels?.get('features')).toEqual(['batch', 'feature']);
  expect(stream.axisLabels?.get('targets')).toEqual(['batch', 'index']);
});

test('an example becomes a vector', async () => {
  const stream = new Flatten(new DatasetStream(toyDataset(3), new SequentialExampleScheme(3)));

  expect(dense(await stream.next(), 'features').shape).toEqual([6]);
  expect(stream.axisLabels?.get('features')).toEqual(['feature']);
});

test('ragged rows become vectors: an array if they are of one length', async () => {
  const [a, b, c] = [
    ndarray('uint8', [2, 3]),
    ndarray('uint8', [3, 2], Uint8Array.of(1, 2, 3, 4, 5, 6)),
    ndarray('uint8', [1, 1]),
  ];
  const batches = new Batching(new IterableDataset({ x: [a, b, b, c] }).exampleStream(), new ConstantScheme(2));
  const stream = new Flatten(batches);

  expect(dense(await stream.next(), 'x')).toEqual(
    ndarray('uint8', [2, 6], Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6)),
  );
  expect((await stream.next())?.columns.get('x')).toMatchObject({
    offsets: Uint32Array.of(0, 6, 7),
    shapes: ndarray('uint32', [2, 1], Uint32Array.of(6, 1)),
  });
});

test('a source that is not there is refused', () => {
  const stream = new DatasetStream(toyDataset(3), new SequentialScheme(3, 2));

  expect(() => new Flatten(stream, ['pixels'])).toThrow(
    'Flatten: there is no source pixels; the sources of the stream are features, targets',
  );
});
