import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { CorruptInput, MissingInput } from '../errors.js';
import { describeH5Dataset } from './describe.js';
import { writeH5Dataset } from './h5-writer.js';

test('sources, splits and attributes are described', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.hdf5');
  await writeExample(path);

  expect(await describeH5Dataset(path)).toEqual({
    sources: [
      { name: 'x', dtype: 'float32', shape: [6, 2], axisLabels: ['batch', 'feature'] },
      { name: 'y', dtype: 'uint8', shape: [6], axisLabels: [] },
    ],
    splits: [
      { name: 'train', sources: ['x', 'y'], examplesCount: 4 },
      { name: 'test', sources: ['x'], examplesCount: 2 },
      { name: 'picked', sources: ['y'], examplesCount: 2 },
    ],
    attributes: {
      fuel_convert_command: 'longrun convert example',
      fuel_convert_version: '0.2',
      h5py_interface_version: '0.3',
    },
    sizeBytes: expect.any(Number),
  });
});

test('what is missing, a folder, no HDF5 file, or cut short is said to be so, by name', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.hdf5');
  await expect(describeH5Dataset(path)).rejects.toThrow(MissingInput);
  await expect(describeH5Dataset(path)).rejects.toThrow(`${path} does not exist`);

  await expect(describeH5Dataset(folder)).rejects.toThrow(`${folder}: is a folder; give the HDF5 file`);

  await writeFile(path, 'not HDF5 at all'.repeat(100));
  await expect(describeH5Dataset(path)).rejects.toThrow(CorruptInput);
  await expect(describeH5Dataset(path)).rejects.toThrow(`${path}: is not an HDF5 file`);

  await writeExample(path);
  await truncate(path, 2000);
  await expect(describeH5Dataset(path)).rejects.toThrow(CorruptInput);
  await expect(describeH5Dataset(path)).rejects.toThrow(/a\.hdf5: cannot be read as HDF5: .*truncated/);
});

test('a damaged file that crashes the HDF5 library does not spoil the files after it', async () => {
  const folder = await temporaryFolder();
  const golden = fileURLToPath(new URL('../../test/goldens/fuel.hdf5', import.meta.url));
  const good = await describeH5Dataset(golden);
  const damaged = await readFile(golden);
  damaged[1713] = 0xfe;
  await writeFile(join(folder, 'a.hdf5'), damaged);

  for (let time = 0; time < 2; time += 1) {
    const error = await describeH5Dataset(join(folder, 'a.hdf5')).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(CorruptInput);
    expect(error).toMatchObject({ cause: { name: 'RuntimeError' } });
    expect(await describeH5Dataset(golden)).toEqual(good);
  }
});

async function writeExample(path: string): Promise<void> {
  await writeH5Dataset(
    path,
    async (writer) => {
      await writer.append({ x: ndarray('float32', [6, 2]), y: ndarray('uint8', [6]) });
      return {
        train: { x: { start: 0, stop: 4 }, y: { start: 0, stop: 4 } },
        test: { x: { start: 4, stop: 6 } },
        picked: { y: { start: 0, stop: 0, indices: [5, 0, 5] } },
      };
    },
    { axisLabels: { x: ['batch', 'feature'] }, command: 'longrun convert example' },
  );
}
