import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { dense } from '../../test/toy.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { CorruptInput } from '../errors.js';
import { cifar10 } from './cifar10.js';
import { cifar100 } from './cifar100.js';

const ARCHIVE = 'cifar-10-binary.tar.gz';
const EXAMPLE_BYTES = 3073;
const labelOf = (example: number): number => (example * 7) % 10;
const pixelOf = (example: number, at: number): number => (example * 31 + at) % 251;

function pixels(example: number): Buffer {
  return Buffer.from(Array.from({ length: EXAMPLE_BYTES - 1 }, (_, at) => pixelOf(example, at)));
}

function examples(start: number, count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => [Buffer.of(labelOf(start + index)), pixels(start + index)]).flat(),
  );
}

/** An archive by `tar`, with its files in this order. */
async function pack(folder: string, name: string, files: Readonly<Record<string, Buffer | null>>): Promise<void> {
  const packed = name.replace('-binary.tar.gz', name.startsWith('cifar-100') ? '-binary' : '-batches-bin');
  await mkdir(join(folder, 'packed', packed), { recursive: true });
  const names: string[] = [];
  for (const [file, bytes] of Object.entries(files)) {
    if (bytes === null) continue;
    await writeFile(join(folder, 'packed', packed, file), bytes);
    names.push(`${packed}/${file}`);
  }
  await mkdir(join(folder, 'input'));
  const archive = join(folder, 'input', name);
  execFileSync('tar', ['-czf', archive, '-C', join(folder, 'packed'), '--no-recursion', packed, ...names]);
}

/** In another order than that of the examples and with other things in it, of two examples a file. */
async function writeArchive(folder: string, overrides: Readonly<Record<string, Buffer | null>> = {}): Promise<void> {
  const files: Record<string, Buffer | null> = {
    'readme.html': Buffer.from('<html>'),
    'test_batch.bin': examples(10, 2),
  };
  for (const batch of [3, 1, 5, 4, 2]) files[`data_batch_${batch}.bin`] = examples(2 * batch - 2, 2);
  await pack(folder, ARCHIVE, { ...files, ...overrides });
}

test('2.7-17, 2.7-18, 2.1-19: batches of an archive become images in colour in their order, with two splits', async () => {
  const folder = await temporaryFolder();
  await writeArchive(folder);
  const path = join(folder, 'out.hdf5');

  const description = await cifar10.convert(join(folder, 'input'), path, {});

  expect(description).toMatchObject({
    sources: [
      {
        name: 'features',
        dtype: 'uint8',
        shape: [12, 3, 32, 32],
        axisLabels: ['batch', 'channel', 'height', 'width'],
      },
      { name: 'targets', dtype: 'uint8', shape: [12, 1], axisLabels: ['batch', 'index'] },
    ],
    splits: [
      { name: 'train', sources: ['features', 'targets'], examplesCount: 10 },
      { name: 'test', sources: ['features', 'targets'], examplesCount: 2 },
    ],
  });
  const all = await H5Dataset.open(path, { whichSets: ['train', 'test'], loadInMemory: true });
  const batch = await all.getData({ start: 0, stop: 12 });
  expect([...dense(batch, 'targets').data]).toEqual(Array.from({ length: 12 }, (_, example) => labelOf(example)));
  const { data } = dense(batch, 'features');
  expect(data.every((value, at) => value === pixelOf(Math.floor(at / 3072), at % 3072))).toBe(true);
});

test('2.1-20, 2.7-19, 2.7-20: an example of CIFAR-100 has a coarse label and a fine one, each a source', async () => {
  const folder = await temporaryFolder();
  // Both labels of an example, then its pixels.
  const two = (start: number, count: number): Buffer =>
    Buffer.concat(
      Array.from({ length: count }, (_, i) => [Buffer.of((start + i) % 20, 99 - start - i), pixels(start + i)]).flat(),
    );
  await pack(folder, 'cifar-100-binary.tar.gz', { 'test.bin': two(3, 1), 'train.bin': two(0, 3) });
  const path = join(folder, 'out.hdf5');

  const description = await cifar100.convert(join(folder, 'input'), path, {});

  const labels = { dtype: 'uint8', shape: [4, 1], axisLabels: ['batch', 'index'] };
  expect(description).toMatchObject({
    sources: [
      { name: 'coarse_labels', ...labels },
      { name: 'features', dtype: 'uint8', shape: [4, 3, 32, 32] },
      { name: 'fine_labels', ...labels },
    ],
    splits: [
      { name: 'train', examplesCount: 3 },
      { name: 'test', examplesCount: 1 },
    ],
  });
  const all = await H5Dataset.open(path, { whichSets: ['train', 'test'], loadInMemory: true });
  const batch = await all.getData({ start: 0, stop: 4 });
  expect([...dense(batch, 'coarse_labels').data]).toEqual([0, 1, 2, 3]);
  expect([...dense(batch, 'fine_labels').data]).toEqual([99, 98, 97, 96]);
  expect(dense(batch, 'features').data).toEqual(Uint8Array.from(Buffer.concat([0, 1, 2, 3].map(pixels))));

  await pack(join(folder, 'other'), 'cifar-100-binary.tar.gz', {
    'test.bin': two(0, 1),
    'train.bin': Buffer.concat([Buffer.of(0, 100), pixels(0)]),
  });
  await expect(cifar100.convert(join(folder, 'other', 'input'), path, {})).rejects.toThrow(
    /label 100 in fine_labels for example 0 of cifar-100-binary\/train\.bin, but labels go from 0 to 99/,
  );
});

for (const [why, overrides, damage, problem] of [
  ['one without a batch', { 'data_batch_4.bin': null }, null, /lacks cifar-10-batches-bin\/data_batch_4\.bin/],
  [
    'half an example',
    { 'test_batch.bin': examples(0, 2).subarray(0, 4000) },
    null,
    /of 4000 bytes, which is no number/,
  ],
  ['a batch that is too large', { 'test_batch.bin': Buffer.alloc(30_730_001) }, null, /it has at most 30730000/],
  [
    'a label that is none',
    { 'test_batch.bin': Buffer.alloc(EXAMPLE_BYTES, 10) },
    null,
    /label 10 in targets for example 0 of/,
  ],
  ['one that is cut', {}, (bytes: Buffer) => bytes.subarray(0, bytes.length - 9), /not a whole gzip file/],
  ['one cut before it was packed', {}, (bytes: Buffer) => gzipSync(gunzipSync(bytes).subarray(0, 6000)), /ends within/],
  ['what is no archive', {}, () => gzipSync(Buffer.alloc(1024, 'a')), /is not a tar archive/],
] as const) {
  test(`${why} is refused, and nothing is left behind`, async () => {
    const folder = await temporaryFolder();
    await writeArchive(folder, overrides);
    const archive = join(folder, 'input', ARCHIVE);
    if (damage !== null) await writeFile(archive, damage(await readFile(archive)));

    const error = await cifar10
      .convert(join(folder, 'input'), join(folder, 'out.hdf5'), {})
      .catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(CorruptInput);
    expect(error).toMatchObject({ path: archive, message: expect.stringMatching(problem) });
    expect((await readdir(folder)).toSorted()).toEqual(['input', 'packed']);
  });
}
