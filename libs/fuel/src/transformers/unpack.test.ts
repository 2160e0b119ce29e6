import { expect, test } from 'vitest';
import { dense, drain, elements, toyDataset } from '../../test/toy.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Unpack } from './unpack.js';

test('2.5-16: batches are taken apart', async () => {
  const stream = new Unpack(new DatasetStream(toyDataset(5), new SequentialScheme(5, 2)));
  const examples = await drain(stream);

  expect(elements(examples, 'targets')).toEqual([[0], [1], [2], [3], [4]]);
  expect(dense(examples[0], 'features').shape).toEqual([2, 3]);
  expect(stream.producesExamples).toBe(true);
  expect(stream.axisLabels?.get('features')).toEqual(['height', 'width']);
});

test('the next epoch starts at its beginning, also from the middle of a batch', async () => {
  const stream = new Unpack(new DatasetStream(toyDataset(3), new SequentialScheme(3, 2)));
  await stream.next();
  await stream.nextEpoch();

  expect(elements(await drain(stream), 'targets')).toEqual([[0], [1], [2]]);
});

test('a stream restored in the middle of a batch reads it again', async () => {
  const build = () => new Unpack(new DatasetStream(toyDataset(5), new SequentialScheme(5, 3)));
  const stream = build();
  await stream.next();
  await stream.next();
  const restored = build();
  restored.restore(stream.state());

  expect(restored.state()).toEqual(stream.state());
  expect(elements(await drain(restored), 'targets')).toEqual([[2], [3], [4]]);
});

test('examples are refused', () => {
  expect(() => new Unpack(new DatasetStream(toyDataset(3), new SequentialExampleScheme(3)))).toThrow(
    /leave Unpack out/,
  );
});
