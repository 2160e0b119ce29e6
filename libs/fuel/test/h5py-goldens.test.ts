import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ndarray } from '@longrun/serialization';
import { expect, test } from 'vitest';
import { headerMessages, MESSAGE, readAt } from '../src/hdf5/object-header.js';
import { describeH5Dataset, H5Dataset, writeH5Dataset } from '../src/index.js';
import { temporaryFolder } from './folder.js';
import { dense } from './toy.js';
import { denseIn } from '../src/arrays/column.js';

const goldens = fileURLToPath(new URL('goldens/', import.meta.url));
const EXAMPLES = 12;

test('2.2-02, 2.2-09, 2.2-19: the split attribute is byte for byte what h5py writes', async () => {
  const folder = await temporaryFolder();
  const ours = await writeGolden(folder);

  const written = attribute(ours, 'split');
  const golden = attribute(join(goldens, 'fuel.hdf5'), 'split');

  // Six rows of 39 bytes are at the end, which is filled up to a multiple of 8. Only the last has indices; where they lie
  // in the file may differ.
  const addressAt = written.length - 6 * 39 - ((-6 * 39) & 7) + 5 * 39 + 5 + 8 + 16;
  for (const message of [written, golden]) {
    expect(message.readBigUInt64LE(addressAt)).not.toBe(0n);
    message.writeBigUInt64LE(0n, addressAt);
  }
  expect(written.toString('hex')).toBe(golden.toString('hex'));
});

test('2.2-10: labels, version attributes, shapes and splits are described alike', async () => {
  const folder = await temporaryFolder();
  const ours = await describeH5Dataset(await writeGolden(folder));
  const golden = await describeH5Dataset(join(goldens, 'fuel.hdf5'));

  expect({ ...ours, sizeBytes: 0 }).toEqual({ ...golden, sizeBytes: 0 });
  expect(golden).toMatchObject({
    sources: [
      { name: 'features', dtype: 'uint8', shape: [12, 1, 2, 3], axisLabels: ['batch', 'channel', 'height', 'width'] },
      { name: 'targets', dtype: 'uint8', shape: [12, 1], axisLabels: ['batch', 'index'] },
    ],
    splits: [
      { name: 'train', examplesCount: 8, ranges: { features: { start: 0, stop: 8 }, targets: { start: 0, stop: 8 } } },
      { name: 'test', sources: ['features'], examplesCount: 4 },
      { name: 'odd', sources: ['targets'], examplesCount: 3, ranges: { targets: [1, 3, 5] } },
    ],
    attributes: {
      fuel_convert_command: 'fuel-convert golden',
      fuel_convert_version: '0.2',
      h5py_interface_version: '0.3',
    },
  });
});

for (const loadInMemory of [false, true]) {
  const how = loadInMemory ? 'from memory' : 'from the file';

  test(`what h5py wrote as Fuel does is read ${how}`, async () => {
    const train = await H5Dataset.open(join(goldens, 'fuel.hdf5'), { whichSets: ['train'], loadInMemory });
    expect(train.examplesCount).toBe(8);
    expect(train.sources).toEqual(['features', 'targets']);
    expect(train.axisLabels?.get('features')).toEqual(['batch', 'channel', 'height', 'width']);
    const { columns } = await train.getData(Uint32Array.of(7, 0));
    expect(denseIn(columns, 'features').shape).toEqual([2, 1, 2, 3]);
    expect([...denseIn(columns, 'features').data]).toEqual([42, 43, 44, 45, 46, 47, 0, 1, 2, 3, 4, 5]);
    expect([...denseIn(columns, 'targets').data]).toEqual([7, 0]);
    await expect(train.getData(8)).rejects.toThrow(/8/);
    await train.close();

    const tests = await H5Dataset.open(join(goldens, 'fuel.hdf5'), { whichSets: ['test'], loadInMemory });
    expect(tests.providesSources).toEqual(['features']);
    expect([...dense(await tests.getData(0), 'features').data]).toEqual([48, 49, 50, 51, 52, 53]);
    await tests.close();

    const odd = await H5Dataset.open(join(goldens, 'fuel.hdf5'), { whichSets: ['odd'], loadInMemory });
    expect([...dense(await odd.getData({ start: 0, stop: 3 }), 'targets').data]).toEqual([1, 3, 5]);
    await odd.close();
  });

  test(`split numbers as arrays of one element, behind a user block, are read ${how}`, async () => {
    const path = join(goldens, 'array-members.hdf5');
    const dataset = await H5Dataset.open(path, { whichSets: ['test'], loadInMemory });

    const features = dense(await dataset.getData({ start: 1, stop: 3 }), 'features');

    expect(features?.dtype).toBe('float32');
    expect([...(features?.data ?? [])]).toEqual([40, 41, 42, 43, 44, 45, 46, 47]);
    await dataset.close();
  });

  test(`every element type of a file of the latest format is read ${how}`, async () => {
    const sources = ['float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32'];
    const others = ['bool', 'bigendian', 'compressed'];
    const path = join(goldens, 'latest.hdf5');
    const options = { sources: [...sources, ...others], loadInMemory };
    const dataset = await H5Dataset.open(path, { whichSets: ['all'], ...options });
    const order = Uint32Array.of(11, 3, 4, 0);
    const expected = [...order].flatMap((row) => [0, 1, 2, 3, 4].map((column) => row * 5 + column - 3));

    const { columns } = await dataset.getData(order);

    for (const source of sources) {
      const array = denseIn(columns, source);
      expect(array?.dtype).toBe(source);
      const wrap = (x: number): number => (x < 0 && source.startsWith('u') ? x + 2 ** Number(source.slice(4)) : x);
      expect(Array.from(array?.data ?? [], Number)).toEqual(expected.map(wrap));
    }
    expect(denseIn(columns, 'bool').dtype).toBe('bool');
    expect([...denseIn(columns, 'bool').data]).toEqual(expected.map((x) => Number(x % 3 === 0)));
    expect(denseIn(columns, 'bigendian').dtype).toBe('int32');
    expect([...denseIn(columns, 'bigendian').data]).toEqual(expected);
    expect([...denseIn(columns, 'compressed').data]).toEqual(expected.map((x) => x & 0xffff));
    await dataset.close();

    const some = await H5Dataset.open(path, { whichSets: ['some'], ...options });
    const rows = dense(await some.getData({ start: 0, stop: some.examplesCount }), 'int32');
    expect([...(rows?.data ?? [])].filter((_, i) => i % 5 === 0)).toEqual([0, 4, 10].map((row) => row * 5 - 3));
    await some.close();
  });
}

test('a source that arrays cannot hold is described, and refused by name when it is asked for', async () => {
  const path = join(goldens, 'latest.hdf5');

  const { sources } = await describeH5Dataset(path);

  expect(sources.filter(({ dtype }) => dtype === null).map(({ name }) => name)).toEqual(['half']);
  await expect(H5Dataset.open(path, { whichSets: ['all'], sources: ['half'] })).rejects.toThrow(/half.*cannot be read/);
});

/** The dataset of `goldens/make.py`, written by us. */
async function writeGolden(folder: string): Promise<string> {
  const path = join(folder, 'fuel.hdf5');
  const counting = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i % 251);
  await writeH5Dataset(
    path,
    async (writer) => {
      await writer.append({
        features: ndarray('uint8', [EXAMPLES, 1, 2, 3], counting(EXAMPLES * 6)),
        targets: ndarray('uint8', [EXAMPLES, 1], counting(EXAMPLES)),
      });
      return {
        train: { features: { start: 0, stop: 8 }, targets: { start: 0, stop: 8 } },
        test: { features: { start: 8, stop: 12 } },
        odd: { targets: { start: -1, stop: -1, indices: [5, 1, 3] } },
      };
    },
    {
      axisLabels: { features: ['batch', 'channel', 'height', 'width'], targets: ['batch', 'index'] },
      command: 'fuel-convert golden',
    },
  );
  return path;
}

/** The message of an attribute of the root group, in a file of the oldest format. */
function attribute(path: string, name: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const root = Number(readAt(descriptor, 64, 8).readBigUInt64LE());
    const message = headerMessages(descriptor, 0, root).find(
      ({ type, content }) =>
        type === MESSAGE.attribute && content.toString('utf8', 8, 8 + content.readUInt16LE(2) - 1) === name,
    );
    if (message === undefined) throw new Error(`${path}: there is no attribute ${name}`);
    return Buffer.from(message.content);
  } finally {
    closeSync(descriptor);
  }
}
