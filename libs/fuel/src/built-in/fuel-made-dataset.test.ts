import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ndarray, sizeOf, type NdArray } from '@longrun/serialization';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { dtypeOf, isRagged, ragged, type Column } from '../arrays/column.js';
import { stackRows } from '../arrays/rows.js';
import { FuelConfiguration } from '../configuration/config.js';
import type { ConverterParams } from '../converters/converter.js';
import { MissingInput, UnsuitableDataset } from '../errors.js';
import { writeH5Dataset } from '../hdf5/h5-writer.js';
import type { SplitsToWrite } from '../hdf5/dataset-to-write.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { celebA } from './celeba.js';
import { dogsVsCats } from './dogs-vs-cats.js';
import type { FuelMadeDataset } from './fuel-made-dataset.js';
import { ilsvrc2010 } from './ilsvrc2010.js';
import { ilsvrc2012 } from './ilsvrc2012.js';
import { svhn } from './svhn.js';
import { youtubeAudio } from './youtube-audio.js';

interface Case {
  readonly ids: string;
  readonly dataset: FuelMadeDataset;
  readonly params: ConverterParams;
  readonly file: string;
  /** What the converter of the original writes, of three examples. */
  readonly rows: Readonly<Record<string, Column>>;
  readonly axisLabels?: Readonly<Record<string, readonly string[]>>;
  readonly splits?: readonly string[];
  /** Sources that the last split has not. */
  readonly unlabelled?: readonly string[];
  readonly fuelConvert: string;
  /** Of a batch of the default stream: the dtype, and the first element. */
  readonly source: string;
  readonly gives: readonly [dtype: string, first: number];
}

const counted = (shape: readonly number[], first = 51): NdArray<'uint8'> =>
  ndarray(
    'uint8',
    shape,
    Uint8Array.from({ length: sizeOf(shape) }, (_, i) => first + i),
  );
/** Three rows that differ in their second axis. */
const rowsOf = (dtype: 'uint8' | 'uint16', axes: readonly number[]): Column =>
  stackRows(
    [2, 1, 3].map((height) => {
      const shape = axes.map((size, axis) => (axis === Math.max(0, axes.length - 2) ? height : size));
      const array = counted(shape);
      return dtype === 'uint8' ? array : ndarray(dtype, shape, Uint16Array.from(array.data));
    }),
    'rows',
  );
const image = ['batch', 'channel', 'height', 'width'];
const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: { r: 7, g: 8, b: 9 } } })
  .png()
  .toBuffer();
const ilsvrc = {
  params: {},
  rows: {
    encoded_images: ragged(
      ndarray('uint8', [3 * png.length], Uint8Array.from(Buffer.concat([png, png, png]))),
      ndarray('uint32', [3, 1], Uint32Array.of(png.length, png.length, png.length)),
    ),
    targets: ndarray('int16', [3, 1]),
  },
  splits: ['train', 'valid', 'test'],
  source: 'encoded_images',
  gives: ['uint8', 7],
} as const;
const cases: readonly Case[] = [
  {
    ids: '2.1-18, 2.7-35, 2.7-36',
    dataset: celebA,
    params: {},
    file: 'celeba_aligned_cropped.hdf5',
    rows: { features: counted([3, 3, 4, 2]), targets: ndarray('uint8', [3, 40]) },
    axisLabels: { features: image, targets: ['batch', 'target'] },
    splits: ['train', 'valid', 'test'],
    fuelConvert: 'celeba aligned_cropped',
    source: 'features',
    gives: ['float32', Math.fround(51 / 255)],
  },
  {
    ids: '2.1-18, 2.7-35',
    dataset: celebA,
    params: { format: '64' },
    file: 'celeba_64.hdf5',
    rows: { features: counted([3, 3, 2, 2]), targets: ndarray('uint8', [3, 40]) },
    axisLabels: { features: image, targets: ['batch', 'target'] },
    splits: ['train', 'valid', 'test'],
    fuelConvert: 'celeba 64',
    source: 'features',
    gives: ['float32', Math.fround(51 / 255)],
  },
  {
    ids: '2.1-21',
    dataset: dogsVsCats,
    params: {},
    file: 'dogs_vs_cats.hdf5',
    rows: { image_features: rowsOf('uint8', [3, 1, 2]), targets: counted([3, 1], 0) },
    axisLabels: { image_features: image, targets: ['batch', 'index'] },
    unlabelled: ['targets'],
    fuelConvert: 'dogs_vs_cats',
    source: 'image_features',
    gives: ['float64', 51 / 255],
  },
  { ids: '2.1-23', dataset: ilsvrc2010, file: 'ilsvrc2010.hdf5', fuelConvert: 'ilsvrc2010', ...ilsvrc },
  {
    ids: '2.1-24',
    dataset: ilsvrc2012,
    file: 'ilsvrc2012.hdf5',
    fuelConvert: 'ilsvrc2012',
    unlabelled: ['targets'],
    ...ilsvrc,
  },
  {
    ids: '2.1-27, 2.7-37',
    dataset: svhn,
    params: { format: 1 },
    file: 'svhn_format_1.hdf5',
    rows: {
      features: rowsOf('uint8', [3, 1, 2]),
      bbox_labels: rowsOf('uint8', [1, 1]),
      ...Object.fromEntries(
        ['heights', 'widths', 'lefts', 'tops'].map((of) => [`bbox_${of}`, rowsOf('uint16', [1, 1])]),
      ),
    },
    axisLabels: { features: image, bbox_labels: ['batch', 'bounding_box', 'index'] },
    splits: ['train', 'test', 'extra'],
    fuelConvert: 'svhn 1',
    source: 'features',
    gives: ['float32', Math.fround(51 / 255)],
  },
  {
    ids: '2.1-27, 2.7-38',
    dataset: svhn,
    params: {},
    file: 'svhn_format_2.hdf5',
    rows: { features: counted([3, 3, 2, 2]), targets: counted([3, 1], 0) },
    axisLabels: { features: image, targets: ['batch', 'index'] },
    splits: ['train', 'test', 'extra'],
    fuelConvert: 'svhn 2',
    source: 'features',
    gives: ['float32', Math.fround(51 / 255)],
  },
  {
    ids: '2.1-31',
    dataset: youtubeAudio,
    params: { youtubeId: 'abc-DEF_012' },
    file: 'abc-DEF_012.hdf5',
    rows: { features: ndarray('int16', [1, 3, 2], Int16Array.of(-5, 4, 3, 2, 1, 0)) },
    axisLabels: { features: ['batch', 'time', 'feature'] },
    splits: ['train'],
    fuelConvert: 'youtube_audio --youtube-id abc-DEF_012',
    source: 'features',
    gives: ['int16', -5],
  },
];

test.each(cases)(
  '$ids: $file of the original is opened by name, with its default transformers',
  async ({ dataset, params, file, rows, axisLabels = {}, splits = ['train', 'test'], ...expected }) => {
    const folder = await temporaryFolder();
    const count = file.startsWith('abc') ? 1 : 3;
    // One example in each split but the first, which has what is left.
    const rangeOf = (at: number): { start: number; stop: number } =>
      at === 0
        ? { start: 0, stop: count + 1 - splits.length }
        : { start: count - splits.length + at, stop: count + 1 - splits.length + at };
    const written: SplitsToWrite = Object.fromEntries(
      splits.map((split, at) => {
        const sources = Object.keys(rows).filter(
          (source) => at < splits.length - 1 || expected.unlabelled?.includes(source) !== true,
        );
        return [split, Object.fromEntries(sources.map((source) => [source, rangeOf(at)]))];
      }),
    );
    await writeH5Dataset(
      join(folder, file),
      async (writer) => {
        await writer.append(rows);
        return written;
      },
      { axisLabels },
    );
    const from = new FuelConfiguration({ home: folder, environment: { FUEL_DATA_PATH: folder } });

    const opened = await dataset.open({ whichSets: ['train'], params, from });

    expect(opened.sources).toEqual(Object.keys(rows).toSorted());
    for (const [source, labels] of Object.entries(axisLabels)) expect(opened.axisLabels?.get(source)).toEqual(labels);
    const batch = await DatasetStream.defaultStream(
      opened,
      new SequentialScheme(opened.examplesCount, opened.examplesCount),
    ).next();
    const column = batch?.columns.get(expected.source);
    if (column === undefined) throw new Error(`there is no ${expected.source}`);
    const [first] = (isRagged(column) ? column.values : column).data;
    expect([dtypeOf(column), Number(first)]).toEqual(expected.gives);
    const last = await dataset.open({ whichSets: [splits.at(-1) ?? ''], params, from });
    expect(last.sources).toEqual(
      Object.keys(rows)
        .filter((source) => expected.unlabelled?.includes(source) !== true)
        .toSorted(),
    );
    await opened.close();
    await last.close();
  },
);

test.each(cases)('what makes $file is said, as there is no converter of it', async (wanted) => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, wanted.file));
  const { dataset, file, fuelConvert } = wanted;
  const from = new FuelConfiguration({ home: folder, environment: { FUEL_DATA_PATH: folder } });
  const remedy = `To make it: fuel-convert ${fuelConvert} of the original Fuel, as Longrun has no converter of ${dataset.name} yet; then put ${file} into a folder of data_path`;

  const opened = dataset.open({ whichSets: ['train'], params: wanted.params, from });

  await expect(opened).rejects.toThrow(MissingInput);
  await expect(opened).rejects.toThrow(remedy);
  const params = dataset.params.parse(wanted.params);
  const converted = dataset.convert(folder, join(folder, 'out.hdf5'), params);
  await expect(converted).rejects.toThrow(UnsuitableDataset);
  await expect(converted).rejects.toThrow(remedy);
});

test('what cannot name a video is refused before a file is looked for', async () => {
  for (const params of [{}, { youtubeId: '../../secret' }])
    await expect(youtubeAudio.open({ whichSets: ['train'], params })).rejects.toThrow('youtubeId');
});
