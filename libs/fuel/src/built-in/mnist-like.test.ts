import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { idx, writeMnistFiles } from '../../test/idx-files.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { CorruptInput, MissingInput } from '../errors.js';
import type { FileProgress } from '../converters/converter.js';
import { fashionMnist } from './fashion-mnist.js';
import { mnist } from './mnist.js';
import { dense } from '../../test/toy.js';

test('images and labels of both files become features and targets with two splits', async () => {
  const folder = await temporaryFolder();
  await writeMnistFiles(folder);
  const path = join(folder, 'out.hdf5');

  const description = await mnist.convert(folder, path, {});

  expect(description).toMatchObject({
    sources: [
      { name: 'features', dtype: 'uint8', shape: [10, 1, 4, 5], axisLabels: ['batch', 'channel', 'height', 'width'] },
      { name: 'targets', dtype: 'uint8', shape: [10, 1], axisLabels: ['batch', 'index'] },
    ],
    splits: [
      { name: 'train', sources: ['features', 'targets'], examplesCount: 7 },
      { name: 'test', sources: ['features', 'targets'], examplesCount: 3 },
    ],
    attributes: { fuel_convert_command: 'longrun convert mnist' },
  });
  const train = await H5Dataset.open(path, { whichSets: ['train'], loadInMemory: true });
  const last = (await train.getData(6)).columns;
  expect(last.get('features')).toMatchObject({
    shape: [1, 4, 5],
    data: Uint8Array.from({ length: 20 }, (_, i) => 120 + i),
  });
  const tests = await H5Dataset.open(path, { whichSets: ['test'], loadInMemory: true });
  expect(dense(await tests.getData({ start: 0, stop: 3 }), 'targets').data).toEqual(Uint8Array.of(9, 8, 7));
  expect(dense(await tests.getData(0), 'features').data).toEqual(Uint8Array.from({ length: 20 }, (_, i) => i));
});

test('the same input gives the same bytes', async () => {
  const folder = await temporaryFolder();
  await writeMnistFiles(folder);
  await fashionMnist.convert(folder, join(folder, 'a.hdf5'), {});
  await fashionMnist.convert(folder, join(folder, 'b.hdf5'), {});

  expect((await readFile(join(folder, 'a.hdf5'))).equals(await readFile(join(folder, 'b.hdf5')))).toBe(true);
});

test('progress goes up to all bytes', async () => {
  const folder = await temporaryFolder();
  await writeMnistFiles(folder);
  const progress: FileProgress[] = [];

  await mnist.convert(folder, join(folder, 'out.hdf5'), {}, { onProgress: (step) => progress.push(step) });

  expect(progress.map(({ doneBytes }) => doneBytes)).toEqual([147, 210]);
  expect(new Set(progress.map(({ totalBytes }) => totalBytes))).toEqual(new Set([210]));
});

const images = (count: number, height = 4): Buffer =>
  gzipSync(idx([count, height, 5], new Uint8Array(count * height * 5)));
const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - 9);
for (const [why, file, bytes, problem] of [
  ['images that are cut short', 'train-images-idx3-ubyte.gz', cut(images(7)), /not a whole gzip file/],
  ['images of the test set that are cut short', 't10k-images-idx3-ubyte.gz', cut(images(3)), /not a whole gzip file/],
  ['labels instead of images', 'train-images-idx3-ubyte.gz', gzipSync(idx([7], new Uint8Array(7))), /magic number/],
  [
    'more labels than images',
    'train-labels-idx1-ubyte.gz',
    gzipSync(idx([8], new Uint8Array(8))),
    /8 labels, .* 7 images/,
  ],
  ['images of another size', 't10k-images-idx3-ubyte.gz', images(3, 6), /images of 6 x 5, .* 4 x 5/],
  [
    'a label that is none',
    't10k-labels-idx1-ubyte.gz',
    gzipSync(idx([3], Uint8Array.of(1, 2, 10))),
    /label 10 for example 2/,
  ],
  ['what is no gzip', 't10k-labels-idx1-ubyte.gz', Buffer.from('hello'), /not a whole gzip file/],
] as const) {
  test(`${why} are refused, and nothing is left behind`, async () => {
    const folder = await temporaryFolder();
    const input = join(folder, 'input');
    await writeMnistFiles(input, { [file]: bytes });

    const error = await mnist.convert(input, join(folder, 'out.hdf5'), {}).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(CorruptInput);
    expect(error).toMatchObject({ path: join(input, file), message: expect.stringMatching(problem) });
    expect(await readdir(folder)).toEqual(['input']);
  });
}

test('all files that are missing are listed, and nothing is left behind', async () => {
  const folder = await temporaryFolder();
  const input = join(folder, 'input');
  await writeMnistFiles(input);
  await rm(join(input, 'train-labels-idx1-ubyte.gz'));
  await rm(join(input, 't10k-images-idx3-ubyte.gz'));

  const error = await mnist.convert(input, join(folder, 'out.hdf5'), {}).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(MissingInput);
  expect(error).toMatchObject({
    paths: [join(input, 'train-labels-idx1-ubyte.gz'), join(input, 't10k-images-idx3-ubyte.gz')],
  });
  expect(await readdir(folder)).toEqual(['input']);
});

test('a conversion that is stopped leaves nothing behind', async () => {
  const folder = await temporaryFolder();
  const input = join(folder, 'input');
  await writeMnistFiles(input);
  const stop = new AbortController();

  const conversion = mnist.convert(
    input,
    join(folder, 'out.hdf5'),
    {},
    {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('cancelled')),
    },
  );

  await expect(conversion).rejects.toThrow('cancelled');
  expect(await readdir(folder)).toEqual(['input']);
});

test('2.7-29, 2.7-30: each file has a checksum and an address', () => {
  for (const dataset of [fashionMnist, mnist]) {
    const requiredFiles = dataset.requiredFiles({});
    expect(requiredFiles).toHaveLength(4);
    expect(new Set(requiredFiles.map(({ sha256 }) => sha256)).size).toBe(4);
    for (const { name, sha256, urls } of requiredFiles) {
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      for (const url of urls) expect(url).toMatch(new RegExp(`^https?://.*/${name}$`));
    }
  }
});
