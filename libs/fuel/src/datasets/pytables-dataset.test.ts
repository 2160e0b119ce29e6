import { fileURLToPath } from 'node:url';
import { assertResumable, ndarray, RandomStreams } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { dense } from '../../test/toy.js';
import { ShuffledScheme } from '../schemes/shuffled-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { PytablesDataset, type PytablesDatasetOptions } from './pytables-dataset.js';

/** By `test/goldens/make-pytables.py`: `/Data/X` (10, 4) counts up, `/Data/y` (10, 1) too; `/Test/X` is -1. */
const path = fileURLToPath(new URL('../../test/goldens/pytables.hdf5', import.meta.url));
const open = (options: Partial<PytablesDatasetOptions> = {}): Promise<PytablesDataset> =>
  PytablesDataset.open(path, { sources: ['features', 'targets'], sourcesInFile: ['X', 'y'], ...options });

test('2.1-22: sources are nodes of a group, under names of one’s own, and rows a part of them', async () => {
  const dataset = await open({ start: 2, stop: 9 });
  const batch = await dataset.getData(Uint32Array.of(6, 0, 0));

  expect(dataset.examplesCount).toBe(7);
  expect(dense(batch, 'features')).toEqual(
    ndarray('float32', [3, 4], Float32Array.of(32, 33, 34, 35, 8, 9, 10, 11, 8, 9, 10, 11)),
  );
  expect(dense(await dataset.getData({ start: 1, stop: 3 }), 'targets')).toEqual(
    ndarray('uint8', [2, 1], Uint8Array.of(3, 4)),
  );
  expect(dense(await dataset.getData(0), 'features').shape).toEqual([4]);
  await dataset.close();
  await dataset.close();
  await expect(dataset.getData(0)).rejects.toThrow(/is closed; open it again/);

  const other = await open({ sources: ['X'], sourcesInFile: ['X'], dataNode: 'Test' });
  expect(dense(await other.getData({ start: 0, stop: 2 }), 'X').data).toEqual(new Float32Array(8).fill(-1));
  await other.close();
});

test('it resumes exactly, and what is not there is refused', async () => {
  const dataset = await open();
  dataset.retain();
  const random = new RandomStreams(1).stream('order');
  await assertResumable(() => new DatasetStream(dataset, new ShuffledScheme(10, 4, { random })), { epochs: 2 });
  await dataset.release();

  await expect(open({ sourcesInFile: ['X', 'z'] })).rejects.toThrow(/Data\/z/);
  await expect(open({ sourcesInFile: ['X', 'short'] })).rejects.toThrow(/features 10.*targets 4|different lengths/);
  await expect(open({ sourcesInFile: ['X'] })).rejects.toThrow(/there are 2 sources, but sourcesInFile has 1/);
  await expect(open({ stop: 11 })).rejects.toThrow(RangeError);
});
