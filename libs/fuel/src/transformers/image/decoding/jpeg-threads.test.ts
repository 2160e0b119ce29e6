import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';

import { expect, test } from 'vitest';
import { bySharp, JPEGS, jpegOf } from '../../../../test/jpegs.js';
import { plainJpegHeader } from './jpeg-header.js';
import { JpegThreads } from './jpeg-threads.js';

/** The image that threads make of a plain JPEG; undefined where they do not. */
async function decoded(threads: JpegThreads, file: Uint8Array) {
  const header = plainJpegHeader(file);
  if (header === undefined) return undefined;
  const { height, width } = header;
  const image = new Uint8Array(3 * height * width);
  const isDecoded = await threads.decode({ file, header, colorMode: 'RGB', image });
  return isDecoded ? { shape: [3, height, width], data: [...image] } : undefined;
}

const plain = [...JPEGS].filter(([, file]) => plainJpegHeader(file) !== undefined);

test.each([1, 3])('what is decoded has the pixels of sharp: by %i threads', async (most) => {
  const threads = new JpegThreads(most);
  const images = await Promise.all(plain.map(async ([name, file]) => [name, await decoded(threads, file)]));
  const expected = await Promise.all(plain.map(async ([name, file]) => [name, await bySharp(file)]));
  expect(images).toEqual(expected);
  expect(images.length).toBeGreaterThan(40);
});

test.each(['4:2:0, 9 x 17', 'restart markers, 33 x 15', 'grey, 33 x 15'])(
  'a file that is cut anywhere is not decoded: %s',
  async (name) => {
    const file = jpegOf(name);
    const threads = new JpegThreads(2);
    const cuts = Array.from({ length: file.length }, (_, end) => decoded(threads, file.subarray(0, end)));
    expect((await Promise.all(cuts)).filter((image) => image !== undefined)).toEqual([]);
    // Those that are whole are decoded still, by those who have refused others.
    expect(await decoded(threads, file)).toEqual(await bySharp(file));
  },
);

test('what is damaged and decoded all the same is read by sharp too', async () => {
  const file = jpegOf('4:2:0, 33 x 15');
  const threads = new JpegThreads(2);
  let decodedOnes = 0;
  for (let at = 0; at < file.length; at += 1) {
    const damaged = file.with(at, (file[at] ?? 0) ^ 0x24);
    const [image, expected] = await Promise.all([decoded(threads, damaged), bySharp(damaged)]);
    if (image === undefined) continue;
    decodedOnes += 1;
    expect(image.shape).toEqual(expected?.shape);
  }
  expect(decodedOnes).toBeGreaterThan(100);
});

test('a thread that is killed leaves what it had to others; without any, nothing is decoded', async () => {
  const warned: string[] = [];
  const workers: Worker[] = [];
  const hear = (warning: Error): void => void warned.push(warning.message);
  const note = (worker: Worker): void => void workers.push(worker);
  process.on('warning', hear);
  process.on('worker', note);
  const file = jpegOf('4:4:4, 40 x 64');
  const threads = new JpegThreads(2);
  const many = async () => await Promise.all(Array.from({ length: 200 }, () => decoded(threads, file)));

  const image = await bySharp(file);
  expect(await many()).toEqual(Array.from({ length: 200 }, () => image));
  expect(workers.length).toBe(2);
  const under = many();
  await Promise.resolve();
  await workers[0]?.terminate();
  // However far it was: what it had is not decoded, or was.
  for (const made of await under) expect([image, undefined]).toContainEqual(made);
  expect(await many()).toEqual(Array.from({ length: 200 }, () => image));
  await workers[1]?.terminate();
  expect(await many()).toEqual(Array.from({ length: 200 }, () => undefined));
  process.off('worker', note);
  process.off('warning', hear);
  expect(workers.length).toBe(2);
  const sentence = 'ImagesFromBytes: JPEGs are decoded without a thread, as it has ended (exit code 1)';
  expect(warned).toEqual([sentence, sentence]);
});

test('a process ends by itself while threads of it have nothing to do, in a thread of its own too', async () => {
  const file = Buffer.from(jpegOf('4:4:4, 8 x 8')).toString('base64');
  // As a program has it: the library as it is built.
  const library = `'file://' + createRequire(${JSON.stringify(import.meta.url)}).resolve('@longrun/fuel')`;
  const decode = `
    const { createRequire } = await import('node:module');
    const { ImagesFromBytes, IterableDataset } = await import(${library});
    const file = Uint8Array.from(Buffer.from('${file}', 'base64'));
    const stream = new ImagesFromBytes(new IterableDataset({ data: [file] }).exampleStream());
    process.on('worker', () => console.log('a thread'));
    console.log((await stream.next()).columns.get('data').shape.join());`;
  const inThread = `
    const { Worker } = await import('node:worker_threads');
    new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(decode)})));`;
  for (const script of [decode, inThread]) {
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: import.meta.dirname,
      timeout: 120_000,
    });
    expect((await run).stdout).toBe('a thread\n3,8,8\n');
  }
});
