import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { dense } from '../../test/toy.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { CorruptInput } from '../errors.js';
import { calTech101Silhouettes } from './caltech101-silhouettes.js';

type Size = 16 | 28;

/** Written by SciPy, see `silhouettes.py` there. */
const golden = (size: Size): string => join(import.meta.dirname, `../../test/goldens/silhouettes-${size}.mat`);
const nameOf = (size: Size): string => `caltech101_silhouettes_${size}_split1.mat`;

test.each([16, 28] as const)(
  '2.7-13, 2.7-40, 2.1-16: the file of size %i becomes images of that size',
  async (size) => {
    const folder = await temporaryFolder();
    await copyFile(golden(size), join(folder, nameOf(size)));
    const path = join(folder, 'out.hdf5');

    const description = await calTech101Silhouettes.convert(folder, path, { size });

    expect(description).toMatchObject({
      sources: [
        {
          name: 'features',
          dtype: 'uint8',
          shape: [6, 1, size, size],
          axisLabels: ['batch', 'channel', 'height', 'width'],
        },
        { name: 'targets', dtype: 'uint8', shape: [6, 1], axisLabels: ['batch', 'index'] },
      ],
      splits: [
        { name: 'train', sources: ['features', 'targets'], examplesCount: 3 },
        { name: 'valid', sources: ['features', 'targets'], examplesCount: 2 },
        { name: 'test', sources: ['features', 'targets'], examplesCount: 1 },
      ],
      attributes: { fuel_convert_command: `longrun convert caltech101_silhouettes -p size=${size}` },
    });
    const all = await H5Dataset.open(path, { whichSets: ['train', 'valid', 'test'], loadInMemory: true });
    const batch = await all.getData({ start: 0, stop: 6 });
    const pixel = (example: number, at: number): number => ((example * 5 + at * 3) % 7 < 3 ? 1 : 0);
    const pixels = size * size;
    expect(dense(batch, 'features').data).toEqual(
      Uint8Array.from({ length: 6 * pixels }, (_, at) => pixel(Math.floor(at / pixels), at % pixels)),
    );
    expect(dense(batch, 'targets').data).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  },
);

test('each size has its files', () => {
  const { params } = calTech101Silhouettes;
  expect(params.parse({})).toEqual({ size: 28 });
  expect(calTech101Silhouettes.outputName({ size: 16 })).toBe('caltech101_silhouettes16.hdf5');
  expect(calTech101Silhouettes.requiredFiles({ size: 16 }).map(({ name }) => name)).toEqual([nameOf(16)]);
  expect(params.safeParse({ size: 20 }).success).toBe(false);
});

/** An element of a MATLAB file. */
function element(type: number, bytes: Uint8Array): Buffer {
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type);
  tag.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([tag, bytes, Buffer.alloc(type === 15 ? 0 : (8 - (bytes.length % 8)) % 8)]);
}

/** The matrix `train_data` of a class, of 1 x 2, with values of a type. */
function matrix(kind: number, type: number, values: Uint8Array): Buffer {
  const flags = element(6, Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0]));
  const dimensions = element(5, Buffer.from([1, 0, 0, 0, 2, 0, 0, 0]));
  return element(14, Buffer.concat([flags, dimensions, element(1, Buffer.from('train_data')), element(type, values)]));
}

const head = async (): Promise<Buffer> => (await readFile(golden(28))).subarray(0, 128);
const with28 = async (...parts: Uint8Array[]): Promise<Buffer> => Buffer.concat([await head(), ...parts]);
for (const [why, bytes, problem] of [
  ['what is no MATLAB file', async () => Buffer.from('<html>'), /is not a MATLAB file of level 5; download it again/],
  [
    'one of another version',
    async () => Buffer.concat([(await head()).fill(2, 124, 126)]),
    /is a MATLAB file of version 0x202, but 0x100 is read/,
  ],
  ['one that is cut', async () => (await readFile(golden(28))).subarray(0, 900), /ends within an element/],
  ['one that is cut where it is compressed', async () => (await readFile(golden(16))).subarray(0, 250), /ends within/],
  ['one without matrices', async () => await with28(), /has no matrix train_data; give/],
  ['images of another size', async () => await readFile(golden(16)), /256 pixels in train, but 28 x 28 are 784/],
  ['compression that is broken', async () => await with28(element(15, Buffer.alloc(9, 7))), /cannot be decompressed/],
  [
    'compression in compression',
    async () => await with28(element(15, deflateSync(element(15, deflateSync(matrix(9, 2, Buffer.of(1, 1))))))),
    /has no matrix train_data; give/,
  ],
  ['more numbers than it says', async () => await with28(matrix(9, 2, Buffer.alloc(3))), /1 x 2 with 3 numbers/],
  ['a text', async () => await with28(matrix(4, 4, Buffer.alloc(4))), /train_data, which is not an array of real/],
  ['a number that is no byte', async () => await with28(matrix(10, 3, Buffer.of(0, 1, 0, 1))), /has 256 in train_data/],
  ['a type that there is not', async () => await with28(matrix(9, 99, Buffer.alloc(2))), /in numbers of type 99/],
] as const) {
  test(`${why} is refused, and nothing is left behind`, async () => {
    const folder = await temporaryFolder();
    const input = join(folder, 'input');
    await mkdir(input);
    await writeFile(join(input, nameOf(28)), await bytes());

    const converted = calTech101Silhouettes.convert(input, join(folder, 'out.hdf5'), { size: 28 });

    const error = await converted.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CorruptInput);
    expect(error).toMatchObject({ path: join(input, nameOf(28)), message: expect.stringMatching(problem) });
    expect(await readdir(folder)).toEqual(['input']);
  });
}
