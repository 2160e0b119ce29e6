import { assertResumable, ndarray, type NdArray } from '@longrun/serialization';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { bySharp, JPEGS, jpegOf } from '../../../test/jpegs.js';
import { drain } from '../../../test/toy.js';
import { isRagged, type Column } from '../../arrays/column.js';
import { takeRow } from '../../arrays/rows.js';
import { IterableDataset } from '../../datasets/iterable-dataset.js';
import { ConstantScheme } from '../../schemes/constant-scheme.js';
import type { DataStream } from '../../streams/data-stream.js';
import { Batching } from '../batching.js';
import { Prefetch } from '../prefetch.js';
import { ImagesFromBytes, type ImagesFromBytesOptions } from './images-from-bytes.js';

const files = [...JPEGS.values()];
const greyOnes = new Set([...JPEGS.keys()].flatMap((name, at) => (name.startsWith('grey') ? [at] : [])));

test('JPEGs of all kinds have the pixels of sharp, in batches and one by one', async () => {
  const expected = await Promise.all(files.map((file) => bySharp(file)));
  const rows = rowsOf(await columnOf(batches(files)), files.length).map(shown);
  expect(rows).toEqual(expected);
  const examples = await drain(new ImagesFromBytes(exampleStream(files)));
  expect(examples.map(({ columns }) => shown(columns.get('data') as NdArray))).toEqual(expected);
});

test('other formats are among them', async () => {
  const colours = sharp({ create: { width: 5, height: 4, channels: 3, background: '#12f0a4' } });
  const others = [await colours.png().toBuffer(), await colours.webp({ lossless: true }).toBuffer()];
  const mixed = [jpegOf('4:2:0, 9 x 17'), ...others, jpegOf('progressive, 8 x 8'), jpegOf('grey, 40 x 64')];
  const rows = rowsOf(await columnOf(batches(mixed)), mixed.length).map(shown);
  expect(rows).toEqual(await Promise.all(mixed.map((file) => bySharp(file))));
});

test('one channel is the luma of three, and as many as the file has are those of the file', async () => {
  const colours = rowsOf(await columnOf(batches(files)), files.length);
  const lumas = rowsOf(await columnOf(batches(files), { colorMode: 'L' }), files.length);
  const own = rowsOf(await columnOf(batches(files), { colorMode: null }), files.length);
  for (const [at, colour] of colours.entries()) {
    const [, height = 0, width = 0] = colour.shape;
    const size = height * width;
    const weighed = Uint8Array.from({ length: size }, (_, pixel) => {
      const [red = 0, green = 0, blue = 0] = [0, 1, 2].map((channel) => Number(colour.data[channel * size + pixel]));
      return (red * 19_595 + green * 38_470 + blue * 7_471 + 0x80_00) >> 16;
    });
    expect(lumas[at]).toEqual(ndarray('uint8', [1, height, width], weighed));
    expect(own[at]).toEqual(greyOnes.has(at) ? lumas[at] : colour);
  }
});

test('of a JPEG that is cut, or damaged, comes what came of it by sharp alone: the image, or its refusal by source and row', async () => {
  const whole = jpegOf('restart markers, 33 x 15');
  const cut = Array.from({ length: 40 }, (_, at) => whole.subarray(0, Math.ceil(((at + 1) * whole.length) / 41)));
  const tails = [0, 1, 2].map((bytes) => new Uint8Array([...whole, ...new Uint8Array(bytes)]));
  const restart = whole.findLastIndex((byte, at) => byte === 0xd0 && whole[at - 1] === 0xff);
  const damaged = [whole.with(restart, 0xd5), whole.with(whole.length - 1, 0xd0)];
  const all = [...cut, ...tails, ...damaged];
  const refused = 'ImagesFromBytes: data, row 1 of the batch is no image that can be read';
  const came = all.map(async (file) => {
    const column = columnOf(batches([whole, file]));
    return await column.then(
      (made) => shown(takeRow(made, 1)),
      (error: unknown) => String(error).replace(/^RangeError: | \(.*/gs, ''),
    );
  });
  const expected = await Promise.all(all.map(async (file) => (await bySharp(file)) ?? refused));
  expect(await Promise.all(came)).toEqual(expected);
  expect(expected.filter((outcome) => outcome === refused).length).toBe(41);
});

test('a run that reads ahead goes on from anywhere', async () => {
  const build = (): DataStream => {
    const parts = new Batching(exampleStream(files.slice(0, 14)), new ConstantScheme(4));
    return new Prefetch(new ImagesFromBytes(parts), 2);
  };
  await assertResumable(build, { epochs: 2 });
});

test('a stream that is closed while it decodes leaves the others as they are', async () => {
  const [closed, other] = [new Prefetch(new ImagesFromBytes(batches(files))), new ImagesFromBytes(batches(files))];
  const [first, second] = [closed.next(), other.next()];
  await closed.close();
  expect((await second)?.columns).toEqual((await first)?.columns);
});

function exampleStream(images: readonly Uint8Array[]): DataStream {
  return new IterableDataset({ data: images.map((file) => ndarray('uint8', [file.length], file)) }).exampleStream();
}

function batches(images: readonly Uint8Array[]): DataStream {
  return new Batching(exampleStream(images), new ConstantScheme(images.length));
}

async function columnOf(stream: DataStream, options?: ImagesFromBytesOptions): Promise<Column> {
  const column = (await new ImagesFromBytes(stream, options).next())?.columns.get('data');
  if (column === undefined) throw new Error('there is no batch with data');
  return column;
}

function rowsOf(column: Column, count: number): NdArray[] {
  if (!isRagged(column)) throw new Error('images of several sizes are a ragged column');
  return Array.from({ length: count }, (_, row) => takeRow(column, row));
}

function shown({ shape, data }: NdArray) {
  return { shape: [...shape], data: Array.from(data, Number) };
}
