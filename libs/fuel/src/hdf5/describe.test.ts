import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { CorruptInput, MissingInput } from '../errors.js';
import { describeH5Dataset } from './describe.js';
import { writeH5Dataset } from './h5-writer.js';
import { hdf5Library, hdf5Problem } from './library.js';

test('2.2-03, 2.2-04, 2.2-05, 2.2-07, 2.2-08, 2.2-16, 2.2-17, 2.2-18: sources, splits and attributes are described', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a.hdf5');
  await writeExample(path);

  expect(await describeH5Dataset(path)).toEqual({
    sources: [
      { name: 'x', dtype: 'float32', shape: [6, 2], ragged: false, axisLabels: ['batch', 'feature'] },
      { name: 'y', dtype: 'uint8', shape: [6], ragged: false, axisLabels: [] },
    ],
    splits: [
      {
        name: 'train',
        sources: ['x', 'y'],
        examplesCount: 4,
        ranges: { x: { start: 0, stop: 4 }, y: { start: 0, stop: 4 } },
      },
      { name: 'test', sources: ['x'], examplesCount: 2, ranges: { x: { start: 4, stop: 6 } } },
      { name: 'picked', sources: ['y'], examplesCount: 2, ranges: { y: [0, 5] } },
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

test('a library that a damaged file has crashed is used no more', async () => {
  const folder = await temporaryFolder();
  const golden = fileURLToPath(new URL('../../test/goldens/fuel.hdf5', import.meta.url));
  const good = await describeH5Dataset(golden);
  const damaged = await readFile(golden);
  damaged[1713] = 0xfe;
  await writeFile(join(folder, 'a.hdf5'), damaged);

  for (let time = 0; time < 2; time += 1) {
    const crashed = await hdf5Library();
    const { file_id: file } = new crashed.File(join(folder, 'a.hdf5'), 'r');
    const error = caught(() => crashed.Module.get_dimension_labels(file, '/features'));
    expect(error).toMatchObject({ name: 'RuntimeError' });
    hdf5Problem(error);

    expect(await hdf5Library()).not.toBe(crashed);
    expect(await describeH5Dataset(golden)).toEqual(good);
  }
});

test('a file that takes the place of a damaged one, with the same inode, is read as it is', async () => {
  const path = join(await temporaryFolder(), 'a.hdf5');
  const golden = await readFile(fileURLToPath(new URL('../../test/goldens/fuel.hdf5', import.meta.url)));
  const damaged = Buffer.from(golden);
  // Where features is: the library does not find it there, and keeps the file open.
  const at = damaged.indexOf('SNOD') + 56;
  damaged.writeUInt8(damaged.readUInt8(at) ^ 0x40, at);
  await writeFile(path, damaged);
  await expect(describeH5Dataset(path)).rejects.toThrow(CorruptInput);

  await writeFile(path, golden);

  expect((await describeH5Dataset(path)).sources.map(({ name }) => name)).toEqual(['features', 'targets']);
});

function caught(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

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
