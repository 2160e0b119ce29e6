import { expect, test } from 'vitest';
import { dense, toyDataset } from '../../test/toy.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Flatten } from './flatten.js';

test('a batch keeps its first axis', async () => {
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

test('a source that is not there is refused', () => {
  const stream = new DatasetStream(toyDataset(3), new SequentialScheme(3, 2));

  expect(() => new Flatten(stream, ['pixels'])).toThrow(
    'Flatten: there is no source pixels; the sources of the stream are features, targets',
  );
});
