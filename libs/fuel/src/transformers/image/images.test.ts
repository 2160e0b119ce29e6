import { readFileSync } from 'node:fs';
import { assertResumable, ndarray, type NdArray } from '@longrun/serialization';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dense, drain } from '../../../test/toy.js';
import { isRagged, type Column } from '../../arrays/column.js';
import { takeRow, takeRows } from '../../arrays/rows.js';
import { IterableDataset } from '../../datasets/iterable-dataset.js';
import { IndexableDataset } from '../../datasets/indexable-dataset.js';
import { SequentialScheme } from '../../schemes/sequential-scheme.js';
import { ConstantScheme } from '../../schemes/constant-scheme.js';
import type { DataStream } from '../../streams/data-stream.js';
import { DatasetStream } from '../../streams/dataset-stream.js';
import { Batching } from '../batching.js';
import { rgbImagesFromEncodedBytes } from '../defaults.js';
import { CenterCrop, RandomFixedSizeCrop } from './crops.js';
import { ImagesFromBytes } from './images-from-bytes.js';
import { MinimumImageDimensions } from './minimum-image-dimensions.js';
import { RandomHorizontalFlip } from './random-flip.js';
import { Random2DRotation } from './random-rotation.js';
import { RandomColor } from './random-color.js';
import { resized } from './resample.js';
import { Resize } from './resize.js';
import { rotated } from './rotated.js';

const Image = z
  .object({ dtype: z.enum(['uint8', 'float32']), shape: z.array(z.int()), data: z.base64() })
  .transform(({ dtype, shape, data }): NdArray => {
    const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
    return ndarray(dtype, shape, dtype === 'uint8' ? bytes : new Float32Array(bytes.buffer));
  });
/** What Pillow makes of images: `test/goldens/images.py`. */
const goldens = z
  .object({
    decoded: z.array(z.object({ name: z.string(), file: z.base64(), RGB: Image, L: Image })),
    resized: z.array(
      z.object({
        size: z.tuple([z.int(), z.int()]),
        resample: z.enum(['nearest', 'bilinear', 'bicubic']),
        image: Image,
        is: Image,
      }),
    ),
    turned: z.array(
      z.object({ angle: z.number(), resample: z.enum(['nearest', 'bilinear']), image: Image, is: Image }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/goldens/images.json', import.meta.url), 'utf8')));
const files = goldens.decoded.map(({ file }) =>
  ndarray('uint8', [Buffer.from(file, 'base64').length], Uint8Array.from(Buffer.from(file, 'base64'))),
);

describe('2.5-26: images are decoded', () => {
  test.each(goldens.decoded.map(({ name }, index) => [name, index] as const))('%s', async (name, index) => {
    for (const colorMode of ['RGB', 'L'] as const) {
      const image = (
        await drain(new ImagesFromBytes(examples([files[index] ?? ndarray('uint8', [0])]), { colorMode }))
      )[0];
      const expected = goldens.decoded[index]?.[colorMode];
      const is = dense(image, 'data');
      expect(is.shape).toEqual(expected?.shape);
      expect(is.dtype).toBe('uint8');
      // JPEG leaves it to who decodes how colours between samples are made, and how they are rounded.
      expect(greatestDifference(is, expected)).toBeLessThanOrEqual(name.includes('jpeg') ? 4 : 0);
    }
  });

  test.each([
    [4, 6],
    [3, 5],
  ])('pixel by pixel, red, green and blue in planes of their own: %i x %i', async (height, width) => {
    const size = height * width;
    const pixels = Uint8Array.from({ length: 3 * size }, (_, i) => (i * 89 + 7) % 256);
    const file = await sharp(pixels, { raw: { height, width, channels: 3 } })
      .png()
      .toBuffer();
    const [image] = await drain(new ImagesFromBytes(examples([ndarray('uint8', [file.length], new Uint8Array(file))])));
    const planes = Uint8Array.from({ length: 3 * size }, (_, i) => pixels[(i % size) * 3 + Math.floor(i / size)] ?? 0);
    expect(dense(image, 'data')).toEqual(ndarray('uint8', [3, height, width], planes));
  });

  test('2.5-25: in batches too, which are ragged where images differ in size', async () => {
    const [batch] = await drain(
      rgbImagesFromEncodedBytes(['data']).reduce<DataStream>((stream, transform) => transform(stream), batches(files)),
    );
    const column = batch?.columns.get('data');
    expect(column !== undefined && isRagged(column)).toBe(true);
    expect(takeRow(column as Column, 4).shape).toEqual([3, 24, 40]);
    const [same] = await drain(new ImagesFromBytes(batches(files.slice(0, 3)), { colorMode: null }));
    expect(takeRow(same?.columns.get('data') as Column, 1).shape[0]).toBe(1);
    expect(takeRow(same?.columns.get('data') as Column, 2).shape[0]).toBe(4);
  });

  test('and what is none is refused by its place', async () => {
    const broken = takeRows(files[4] ?? ndarray('uint8', [0]), { start: 0, stop: 40 });
    const stream = new ImagesFromBytes(batches([files[0] ?? broken, broken]));
    await expect(stream.next()).rejects.toThrow(
      /ImagesFromBytes: data, row 1 of the batch is no image that can be read/,
    );
    const numbers = new DatasetStream(
      new IndexableDataset({ x: ndarray('float32', [2, 3]) }),
      new SequentialScheme(2, 2),
    );
    await expect(new ImagesFromBytes(numbers).next()).rejects.toThrow(
      /is float32 \(3\); the bytes of a file are uint8/,
    );
  });
});

test('2.5-27: images that are too small are enlarged as Pillow does it, and others stay', async () => {
  for (const { image, size, resample, is } of goldens.resized) {
    const made = resized(image, size, resample);
    expect(made.shape).toEqual(is.shape);
    // Floats: Pillow adds up the same numbers in the same order, but for the last bit of a float32.
    expect(greatestDifference(made, is)).toBeLessThanOrEqual(image.dtype === 'uint8' ? 0 : 1e-4);
  }
  const images = [ndarray('uint8', [1, 4, 6]), ndarray('uint8', [1, 9, 9]), ndarray('uint8', [1, 8, 2])];
  const stream = new MinimumImageDimensions(batches(images), { minimumShape: [8, 5], resample: 'bilinear' });
  const [batch] = await drain(stream);
  const column = batch?.columns.get('data') as Column;
  expect([0, 1, 2].map((row) => takeRow(column, row).shape)).toEqual([
    [1, 8, 12],
    [1, 9, 9],
    [1, 20, 5],
  ]);
});

test('2.5-29: images are turned as Pillow does it', () => {
  for (const { image, angle, resample, is } of goldens.turned) {
    const made = rotated(image, angle, resample);
    // Pillow moves whole pixels for quarter turns, and looks between none.
    expect(shareOfOthers(made, is), `${angle} ${resample} ${image.shape.join()}`).toBeLessThanOrEqual(0.01);
  }
});

const numbered = (count: number, [height, width]: readonly [number, number]): NdArray =>
  ndarray(
    'uint8',
    [count, 2, height, width],
    Uint8Array.from({ length: count * 2 * height * width }, (_, i) => i % 251),
  );

test('2.5-28: windows of one size are cut out of images of any, everywhere', async () => {
  const images = [0, 1, 2, 3].map((row) => takeRow(numbered(4, [5, 7]), row));
  const other = takeRow(numbered(1, [9, 4]), 0);
  const stream = new RandomFixedSizeCrop(batches([...images, other]), { windowShape: [3, 4], seed: 1 });
  const corners = new Set<number>();
  for (let epoch = 0; epoch < 60; epoch += 1) {
    const [batch] = await drain(stream);
    const crops = dense(batch, 'data');
    expect(crops.shape).toEqual([5, 2, 3, 4]);
    const first = takeRow(crops, 0);
    const corner = Number(first.data[0]);
    corners.add(corner);
    // All rows and channels are of one place.
    expect(Array.from(first.data, Number)).toEqual(
      [0, 35].flatMap((channel) => [0, 7, 14].flatMap((row) => [0, 1, 2, 3].map((x) => corner + channel + row + x))),
    );
    await stream.nextEpoch();
  }
  expect(corners.size).toBe(12);
  await expect(new RandomFixedSizeCrop(batches([other]), { windowShape: [3, 5], seed: 1 }).next()).rejects.toThrow(
    /has an image of 9 x 4 pixels, which is smaller than the window of 3 x 5; enlarge/,
  );
  const [middle] = await drain(new CenterCrop(batches([other]), { windowShape: [2, 3] }));
  expect(Array.from(dense(middle, 'data').data, Number).slice(0, 6)).toEqual([12, 13, 14, 16, 17, 18]);
});

test('images are flipped as often as is said, and all rows of one', async () => {
  const stream = new RandomHorizontalFlip(batchesOf(numbered(200, [1, 3])), { seed: 2, probability: 0.25 });
  const [batch] = await drain(stream);
  const flipped = Array.from({ length: 200 }, (_, row) => takeRow(dense(batch, 'data'), row)).filter(
    ({ data }) => Number(data[0]) > Number(data[2]) && Number(data[3]) > Number(data[5]),
  );
  expect(flipped.length).toBeGreaterThan(30);
  expect(flipped.length).toBeLessThan(70);
});

test('all images come to one size, and colours change within what they may be', async () => {
  const [first] = await drain(
    new Resize(batches([ndarray('uint8', [3, 4, 6]), ndarray('uint8', [3, 2, 2])]), { shape: [5, 7] }),
  );
  expect(dense(first, 'data').shape).toEqual([2, 3, 5, 7]);

  const image = goldens.resized[0]?.image ?? ndarray('uint8', [3, 1, 1]);
  const still = new RandomColor(batches([image]), { seed: 1 });
  expect(dense(await still.next(), 'data').data).toEqual(image.data);
  const bright = dense(await new RandomColor(batches([image]), { seed: 4, brightness: 0.5 }).next(), 'data');
  const [before, after] = [Array.from(image.data, Number), Array.from(bright.data, Number)];
  const factors = before.flatMap((value, at) =>
    value > 100 && (after[at] ?? 255) < 255 ? [(after[at] ?? 0) / value] : [],
  );
  expect(Math.max(...factors) - Math.min(...factors)).toBeLessThan(0.02);
  const grey = dense(
    await new RandomColor(batches([ndarray('float32', [3, 2, 2], new Float32Array(12).fill(0.5))]), {
      seed: 3,
      contrast: 1,
      saturation: 1,
    }).next(),
    'data',
  );
  expect(Array.from(grey.data, Number).every((value) => Math.abs(value - 0.5) < 1e-6)).toBe(true);
  await expect(new RandomColor(batches([ndarray('uint8', [1, 2, 2])]), { seed: 1 }).next()).rejects.toThrow(
    /colours are uint8 or floats/,
  );
  expect(() => new RandomColor(batches([image]), { seed: 1, contrast: 2 })).toThrow(
    /contrast is 2; give a number from 0/,
  );
});

const transformers: Record<string, (stream: DataStream, seed: number) => DataStream> = {
  Resize: (stream) => new Resize(stream, { shape: [7, 4], resample: 'bicubic' }),
  RandomFixedSizeCrop: (stream, seed) => new RandomFixedSizeCrop(stream, { windowShape: [3, 3], seed }),
  CenterCrop: (stream) => new CenterCrop(stream, { windowShape: [3, 3] }),
  RandomHorizontalFlip: (stream, seed) => new RandomHorizontalFlip(stream, { seed }),
  Random2DRotation: (stream, seed) => new Random2DRotation(stream, { seed }),
  MinimumImageDimensions: (stream) => new MinimumImageDimensions(stream, { minimumShape: [9, 9] }),
};

describe('what is drawn depends on seed, stage and place alone:', () => {
  test.each(Object.entries(transformers))('%s', async (name, around) => {
    const make = (size: number, seed = 5): DataStream => around(batchesOf(numbered(12, [5, 6]), size), seed);
    await assertResumable(() => make(5), { epochs: 3 });
    await assertResumable(() => around(examples([0, 1, 2].map((row) => takeRow(numbered(3, [5, 6]), row))), 5), {
      epochs: 2,
    });
    const [first] = await drain(make(5));
    const [again] = await drain(make(5));
    expect(first?.columns).toEqual(again?.columns);
    if (!name.startsWith('Random')) return;
    const [other] = await drain(make(5, 6));
    expect(first?.columns).not.toEqual(other?.columns);
    expect(() => make(5, 6).restore(make(5).state())).toThrow(/"seed":5.*"seed":6/s);
    const both = new RandomHorizontalFlip(
      new RandomHorizontalFlip(batchesOf(numbered(64, [2, 5])), { seed: 1, stage: 'a' }),
      { seed: 1, stage: 'b' },
    );
    expect((await both.next())?.columns.get('data')).not.toEqual(numbered(64, [2, 5]));
  });
});

test('what is no image or no size is refused', async () => {
  const flat = new DatasetStream(new IndexableDataset({ x: ndarray('uint8', [2, 6]) }), new SequentialScheme(2, 2));
  await expect(new CenterCrop(flat, { windowShape: [1, 1] }).next()).rejects.toThrow(
    /CenterCrop: x has examples of shape \(6\); images are/,
  );
  expect(() => new CenterCrop(flat, { windowShape: [0, 1] })).toThrow(/windowShape is 0 x 1; give height and width/);
  expect(() => new Random2DRotation(flat, { seed: 1, maximumRotation: NaN })).toThrow(/maximumRotation is NaN/);
  expect(() => new RandomHorizontalFlip(flat, { seed: 1, probability: 2 })).toThrow(/probability is 2/);
  expect(() => resized(ndarray('int32', [1, 2, 2]), [3, 3], 'bilinear')).toThrow(/images of int32 cannot be resampled/);
});

function examples(images: readonly NdArray[]): DataStream {
  return new IterableDataset({ data: images }).exampleStream();
}

function batches(images: readonly NdArray[]): DataStream {
  return new Batching(examples(images), new ConstantScheme(images.length));
}

function batchesOf(images: NdArray, size = images.shape[0] ?? 0): DataStream {
  return new DatasetStream(new IndexableDataset({ data: images }), new SequentialScheme(images.shape[0] ?? 0, size));
}

function greatestDifference(one: NdArray, other: NdArray | undefined): number {
  const expected = Array.from(other?.data ?? [], Number);
  return Math.max(...Array.from(one.data, Number).map((value, at) => Math.abs(value - (expected[at] ?? Number.NaN))));
}

function shareOfOthers(one: NdArray, other: NdArray): number {
  const differing = Array.from(one.data, Number).filter((value, at) => Math.abs(value - Number(other.data[at])) > 1e-3);
  return differing.length / one.data.length;
}
