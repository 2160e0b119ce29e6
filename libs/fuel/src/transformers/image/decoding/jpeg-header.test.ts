import sharp from 'sharp';
import { expect, test } from 'vitest';
import { JPEGS, jpegOf } from '../../../../test/jpegs.js';
import { plainJpegHeader } from './jpeg-header.js';

test('plain are the small JPEGs that are sequential, of 8 bits, and grey or YCbCr', () => {
  for (const [name, file] of JPEGS) {
    const isPlain = !/^(progressive|red|CMYK)/.test(name);
    const [, height, width] = /(\d+) x (\d+)$/.exec(name) ?? ['', '32', '32'];
    const header = { height: Number(height), width: Number(width), channels: name.startsWith('grey') ? 1 : 3 };
    expect([name, plainJpegHeader(file)]).toEqual([name, isPlain ? header : undefined]);
  }
});

const FRAME = 0xc0;
const SCAN = 0xda;
const others: readonly (readonly [what: string, change: (file: Uint8Array) => void])[] = [
  ['12 bits', (file) => (file[segmentOf(file, FRAME) + 4] = 12)],
  ['arithmetic coding', (file) => (file[segmentOf(file, FRAME) + 1] = 0xc9)],
  ['no height', (file) => file.set([0, 0], segmentOf(file, FRAME) + 5)],
  ['more pixels than pay', (file) => file.set([2, 0, 2, 0], segmentOf(file, FRAME) + 5)],
  ['other components', (file) => (file[segmentOf(file, FRAME) + 10] = 0x52)],
  ['several scans', (file) => (file[segmentOf(file, SCAN) + 4] = 1)],
  ['no frame', (file) => (file[segmentOf(file, FRAME) + 1] = 0xfe)],
  ['two frames', (file) => (file[segmentOf(file, 0xdb) + 1] = FRAME)],
  ['a segment of no length', (file) => file.set([0, 1], segmentOf(file, FRAME) + 2)],
  ['red, green and blue, as Adobe says it', (file) => file.set(ADOBE, segmentOf(file, 0xe0))],
];
/** A segment of 16 bytes and its marker, where JFIF's was. */
const ADOBE = [0xff, 0xee, 0, 16, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0, 0, 0];

test.each(others)('not plain: %s', (_what, change) => {
  const file = jpegOf('4:2:0, 40 x 64').slice();
  expect(plainJpegHeader(file)).toBeDefined();
  change(file);
  expect(plainJpegHeader(file)).toBeUndefined();
});

test('not plain: what ends before its first scan, and what is no JPEG', async () => {
  const file = jpegOf('4:2:0, 40 x 64');
  const scan = segmentOf(file, SCAN);
  for (let end = 0; end < scan + 14; end += 1) expect(plainJpegHeader(file.subarray(0, end))).toBeUndefined();
  expect(plainJpegHeader(file.subarray(0, scan + 14))).toBeDefined();
  const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  expect(plainJpegHeader(png)).toBeUndefined();
});

/** Where the first segment with a marker begins. */
function segmentOf(file: Uint8Array, marker: number): number {
  for (let at = 2; at < file.length; at += 2 + (file[at + 2] ?? 0) * 256 + (file[at + 3] ?? 0))
    if (file[at + 1] === marker) return at;
  throw new Error(`there is no segment ${marker}`);
}
