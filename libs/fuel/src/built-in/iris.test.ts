import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { dense } from '../../test/toy.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { CorruptInput } from '../errors.js';
import { iris } from './iris.js';

test('2.7-27, 2.7-28, 2.1-25: lines of flowers become measures and classes in one split', async () => {
  const folder = await temporaryFolder();
  const text = '5.1,3.5,1.4,0.2,Iris-setosa\n7.0,3.2,4.7,1.4,Iris-versicolor\n6.3,3.3,6,2.5,Iris-virginica\r\n\n';
  await writeFile(join(folder, 'iris.data'), text);
  const path = join(folder, 'out.hdf5');

  const description = await iris.convert(folder, path, {});

  expect(description).toMatchObject({
    sources: [
      { name: 'features', dtype: 'float32', shape: [3, 4], axisLabels: ['batch', 'feature'] },
      { name: 'targets', dtype: 'uint8', shape: [3, 1], axisLabels: ['batch', 'index'] },
    ],
    splits: [{ name: 'all', sources: ['features', 'targets'], examplesCount: 3 }],
  });
  const all = await H5Dataset.open(path, { whichSets: ['all'], loadInMemory: true });
  const batch = await all.getData({ start: 0, stop: 3 });
  const features = [5.1, 3.5, 1.4, 0.2, 7, 3.2, 4.7, 1.4, 6.3, 3.3, 6, 2.5];
  expect(dense(batch, 'features').data).toEqual(Float32Array.from(features));
  expect(dense(batch, 'targets').data).toEqual(Uint8Array.of(0, 1, 2));
});

test.each([
  [
    'another class',
    '5.1,3.5,1.4,0.2,Iris-setosa\n5,3,1,0.2,Rosa-canina\n',
    /line 2 is "5,3,1,0.2,Rosa-canina", but four/,
  ],
  ['a measure too few', '3.5,1.4,0.2,Iris-setosa', /line 1 is/],
  ['what is no number', '5.1,,1.4,0.2,Iris-setosa', /line 1 is/],
  ['no lines', '\n', /has no lines/],
  ['far too much', 'a'.repeat(2 ** 20 + 1), /has 1048577 bytes/],
])('%s is refused, and nothing is left behind', async (_why, text, problem) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'iris.data'), text);

  const error = await iris.convert(folder, join(folder, 'out.hdf5'), {}).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(CorruptInput);
  expect(error).toMatchObject({ path: join(folder, 'iris.data'), message: expect.stringMatching(problem) });
  expect(await readdir(folder)).toEqual(['iris.data']);
});
