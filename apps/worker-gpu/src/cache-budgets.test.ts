import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { readCacheBudgets } from './cache-budgets.js';

test('what is kept is bounded by shares of the disk, or as it was told', () => {
  const { blocks, bsize } = statfsSync(tmpdir());
  const { datasetBytes, checkpointBytes } = readCacheBudgets({})(tmpdir());
  expect(datasetBytes / (blocks * bsize)).toBeCloseTo(0.25, 9);
  expect(checkpointBytes / (blocks * bsize)).toBeCloseTo(0.1, 9);
  const told = { LONGRUN_DATASET_CACHE: 'unlimited', LONGRUN_CHECKPOINT_CACHE: '2GiB' };
  expect(readCacheBudgets(told)(tmpdir())).toEqual({ datasetBytes: Infinity, checkpointBytes: 2 ** 31 });
  expect(() => readCacheBudgets({ LONGRUN_CHECKPOINT_CACHE: 'much' })).toThrow(
    'LONGRUN_CHECKPOINT_CACHE: "much" is not a size of at least 0MiB; give one such as 8GiB, or unlimited',
  );
});
