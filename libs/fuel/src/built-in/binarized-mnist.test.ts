import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.js';
import { dense } from '../../test/toy.js';
import { H5Dataset } from '../datasets/h5-dataset.js';
import { CorruptInput } from '../errors.js';
import { binarizedMnist } from './binarized-mnist.js';

const PIXELS = 784;
const pixel = (example: number, at: number): number => ((example * 5 + at * 3) % 7 < 3 ? 1 : 0);

function line(example: number): string {
  return Array.from({ length: PIXELS }, (_, at) => pixel(example, at)).join(' ');
}

/** The three files, with some examples of each that count on; `overrides` by split. */
async function writeFiles(folder: string, overrides: Readonly<Record<string, string>> = {}): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lines = (start: number, count: number): string =>
    Array.from({ length: count }, (_, index) => `${line(start + index)}\n`).join('');
  // More than are read at once; spaces at the ends of lines and lines that end as on Windows; no end of line at the end.
  const valid = `${line(1030)} \r\n\n${line(1031)} \r\n`;
  const files = { train: lines(0, 1030), valid, test: line(1032), ...overrides };
  for (const [split, text] of Object.entries(files))
    await writeFile(join(folder, `binarized_mnist_${split}.amat`), text);
}

test('2.7-11, 2.1-15: lines of zeros and ones become images with three splits, without targets', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder);
  const path = join(folder, 'out.hdf5');

  const description = await binarizedMnist.convert(folder, path, {});

  expect(description).toMatchObject({
    sources: [
      {
        name: 'features',
        dtype: 'uint8',
        shape: [1033, 1, 28, 28],
        axisLabels: ['batch', 'channel', 'height', 'width'],
      },
    ],
    splits: [
      { name: 'train', sources: ['features'], examplesCount: 1030 },
      { name: 'valid', sources: ['features'], examplesCount: 2 },
      { name: 'test', sources: ['features'], examplesCount: 1 },
    ],
  });
  const all = await H5Dataset.open(path, { whichSets: ['train', 'valid', 'test'], loadInMemory: true });
  const { data } = dense(await all.getData({ start: 0, stop: 1033 }), 'features');
  expect(data.every((value, at) => value === pixel(Math.floor(at / PIXELS), at % PIXELS))).toBe(true);
});

for (const [why, text, problem] of [
  ['a row that is short', `${line(0)}\n${line(1).slice(2)}\n`, /line 2 has 783 numbers, but a row has 784/],
  ['a row that is long', `${line(0)} 1\n`, /line 1 has more numbers than the 784 of a row/],
  ['numbers without a space', `${line(0).replace(' ', '')}\n`, /line 1 has "[01]" where/],
  ['another number', `${line(0)}\n\n2`, /line 3 has "2" where 0, 1 or a space is expected/],
  ['a page of HTML', '<html>', /line 1 has "<" where/],
  ['nothing', '\n', /has no rows/],
] as const) {
  test(`${why} is refused, and nothing is left behind`, async () => {
    const folder = await temporaryFolder();
    const input = join(folder, 'input');
    await writeFiles(input, { valid: text });

    const error = await binarizedMnist.convert(input, join(folder, 'out.hdf5'), {}).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(CorruptInput);
    expect(error).toMatchObject({
      path: join(input, 'binarized_mnist_valid.amat'),
      message: expect.stringMatching(problem),
    });
    expect(await readdir(folder)).toEqual(['input']);
  });
}
