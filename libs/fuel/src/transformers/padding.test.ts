import { assertResumable, ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense, drain } from '../../test/toy.js';
import { IndexableDataset } from '../datasets/indexable-dataset.js';
import { IterableDataset } from '../datasets/iterable-dataset.js';
import { ConstantScheme } from '../schemes/constant-scheme.js';
import { SequentialExampleScheme } from '../schemes/sequential-example-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { Batching } from './batching.js';
import { Padding, type PaddingOptions } from './padding.js';

const frame = (time: number) =>
  ndarray(
    'int16',
    [time, 2],
    Int16Array.from({ length: time * 2 }, (_, i) => i + 1),
  );
const dataset = () =>
  new IterableDataset(
    { frames: [frame(2), frame(1), frame(3), frame(3)], words: ['a', 'bcd', 'ef', ''], label: [0, 1, 2, 3] },
    { axisLabels: new Map([['frames', ['batch', 'time', 'feature']]]) },
  );
const padding = (options: PaddingOptions) =>
  new Padding(new Batching(dataset().exampleStream(), new ConstantScheme(2)), options);

test('2.5-17: shorter rows are followed by zeros, and a mask says where there are data', async () => {
  const stream = padding({ maskSources: ['words', 'frames'] });
  const [first, second] = await drain(stream);

  expect(stream.sources).toEqual(['frames', 'frames_mask', 'words', 'words_mask', 'label']);
  expect([...(first?.columns.keys() ?? [])]).toEqual(stream.sources);
  expect(dense(first, 'frames')).toEqual(ndarray('int16', [2, 2, 2], Int16Array.of(1, 2, 3, 4, 1, 2, 0, 0)));
  expect(dense(first, 'frames_mask')).toEqual(ndarray('float32', [2, 2], Float32Array.of(1, 1, 1, 0)));
  expect(dense(first, 'words')).toEqual(ndarray('uint8', [2, 3], Uint8Array.of(97, 0, 0, 98, 99, 100)));
  expect(dense(first, 'words_mask')).toEqual(ndarray('float32', [2, 3], Float32Array.of(1, 0, 0, 1, 1, 1)));
  expect(dense(first, 'label').data).toEqual(Float64Array.of(0, 1));
  // Rows of one length stay as they are, with a mask of ones.
  expect(dense(second, 'frames').shape).toEqual([2, 3, 2]);
  expect(dense(second, 'frames_mask').data).toEqual(new Float32Array(6).fill(1));
  expect(dense(second, 'words')).toEqual(ndarray('uint8', [2, 2], Uint8Array.of(101, 102, 0, 0)));
  expect(stream.axisLabels?.get('frames_mask')).toEqual(['batch', 'time']);
});

test.each([
  ['uint8', Uint8Array.of(1, 1, 1, 0)],
  ['bool', Uint8Array.of(1, 1, 1, 0)],
  ['int64', BigInt64Array.of(1n, 1n, 1n, 0n)],
  ['float64', Float64Array.of(1, 1, 1, 0)],
] as const)('masks have the dtype asked for: %s', async (maskDtype, data) => {
  const batch = await padding({ maskSources: ['frames'], maskDtype }).next();

  expect(dense(batch, 'frames_mask')).toEqual(ndarray(maskDtype, [2, 2], data));
});

test('examples, scalars, rows that differ elsewhere, and a mask that is there already are refused', async () => {
  const images = new IterableDataset({ x: [ndarray('uint8', [1, 2]), ndarray('uint8', [1, 3])] });
  const taken = new IndexableDataset({ x: ndarray('uint8', [2, 1]), x_mask: ndarray('uint8', [2, 1]) });
  const batches = new Batching(new DatasetStream(taken, new SequentialExampleScheme(2)), new ConstantScheme(2));

  expect(() => new Padding(dataset().exampleStream())).toThrow(/Padding: the stream gives examples/);
  await expect(padding({ maskSources: ['label'] }).next()).rejects.toThrow(/examples of label are scalars/);
  await expect(new Padding(new Batching(images.exampleStream(), new ConstantScheme(2))).next()).rejects.toThrow(
    /Padding: x has rows of \(1, 2\) and \(1, 3\); all axes but the first must be equal/,
  );
  expect(() => new Padding(batches, { maskSources: ['x'] })).toThrow(/x_mask is a source of the stream already/);
  expect(() => padding({ maskSources: ['y'] })).toThrow(/Padding: there is no source y/);
});

test('it can be resumed at every batch', async () => {
  await assertResumable(() => padding({ maskSources: ['frames', 'words'] }));
});
