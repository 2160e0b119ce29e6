import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { NotEnoughSpace } from '../errors.js';
import { checkEnoughSpace, diskUsage } from './disk-space.js';
import { writeSplits } from './write-splits.js';

test('2.6-18, 2.6-20: what does not fit on the disk is not begun', async () => {
  const folder = await temporaryFolder();
  const { totalBytes, usedBytes, freeBytes } = await diskUsage(folder);
  expect(usedBytes + freeBytes).toBeLessThanOrEqual(totalBytes);
  await checkEnoughSpace(folder, 1);

  const written = writeSplits(
    join(folder, 'out.hdf5'),
    [
      {
        name: 'train',
        file: 'raw',
        batches: () => {
          throw new Error('it was begun');
        },
      },
    ],
    { totalBytes: totalBytes + 1 },
  );

  const error = await written.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NotEnoughSpace);
  expect(error).toMatchObject({ message: expect.stringContaining(`${totalBytes + 1} bytes are to be written there`) });
  expect(await readdir(folder)).toEqual([]);
});
