import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { writeMnistFiles } from '../../test/idx-files.js';
import { dense } from '../../test/toy.js';
import { FuelConfiguration } from '../configuration/config.js';
import { MissingInput } from '../errors.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { calTech101Silhouettes } from './caltech101-silhouettes.js';
import { mnist } from './mnist.js';
import { builtInDatasets, converters } from './registry.js';

function lookingIn(folder: string): FuelConfiguration {
  return new FuelConfiguration({ home: folder, environment: { FUEL_DATA_PATH: folder } });
}

test('2.1-26: a built-in dataset is opened by what is set as data_path, with axis labels and its default transformers', async () => {
  const folder = await temporaryFolder();
  await writeMnistFiles(join(folder, 'raw'));
  await mnist.convert(join(folder, 'raw'), join(folder, mnist.outputName({})), {});

  const dataset = await mnist.open({ whichSets: ['train'], from: lookingIn(folder) });

  expect(dataset.toString()).toBe('mnist[train]');
  expect(dataset.examplesCount).toBe(7);
  expect(dataset.axisLabels?.get('features')).toEqual(['batch', 'channel', 'height', 'width']);
  const batch = await DatasetStream.defaultStream(dataset, new SequentialScheme(7, 7)).next();
  expect(dense(batch, 'features').dtype).toBe('float32');
  expect(dense(batch, 'features').data[51]).toBe(Math.fround(51 / 255));
  expect(dense(batch, 'targets').data).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5, 6));
});

test('where its file is not, the error says how to get the one of these params', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'caltech101_silhouettes28.hdf5'));

  const opened = calTech101Silhouettes.open({ whichSets: ['train'], from: lookingIn(folder), params: { size: 16 } });

  const error = await opened.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(MissingInput);
  expect(error).toMatchObject({
    paths: [join(folder, 'caltech101_silhouettes16.hdf5')],
    message: expect.stringMatching(
      /There is no caltech101_silhouettes16\.hdf5 in .*longrun submit .*"converter":"caltech101_silhouettes","params":\{"size":16\}.*longrun download NAME -o caltech101_silhouettes16\.hdf5/,
    ),
  });
});

test('params that a converter has not are refused before a file is looked for', async () => {
  await expect(mnist.open({ whichSets: ['train'], params: { size: 16 } })).rejects.toThrow('size');
});

test('built-in datasets are found by name, and those without params have none', () => {
  const withConverters = [
    'adult',
    'binarized_mnist',
    'caltech101_silhouettes',
    'cifar10',
    'cifar100',
    'fashion-mnist',
    'iris',
    'mnist',
    'text',
  ];
  expect([...converters.keys()]).toEqual(withConverters);
  expect([...builtInDatasets.keys()]).toEqual([
    ...withConverters,
    'celeba',
    'dogs_vs_cats',
    'ilsvrc2010',
    'ilsvrc2012',
    'svhn',
    'youtube_audio',
  ]);
  for (const [name, dataset] of converters) {
    const params = dataset.params.parse({});
    expect(dataset.name).toBe(name);
    expect(dataset.outputName(params)).toMatch(/\.hdf5$/);
    for (const file of dataset.requiredFiles(params))
      for (const url of file.urls) expect(url).toMatch(new RegExp(`^https?://.*/${file.name}$`));
  }
});
