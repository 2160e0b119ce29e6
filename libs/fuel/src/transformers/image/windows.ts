import { dtypeBytes, type NdArray } from '@longrun/serialization';
import type { Memory } from '../../arrays/memory.js';
import { bytesOf } from '../../arrays/rows.js';

/** Height and width in pixels. */
export type ImageSize = readonly [height: number, width: number];

/** A part of an image `(channel, height, width)`, copied: as large as `size`, from the row `top` and the column `left` on, within it. @param into where it lies */
export function windowOf(
  image: NdArray,
  [height, width]: ImageSize,
  [top, left]: readonly [top: number, left: number],
  into: Memory,
): NdArray {
  const [channels = 0, rows = 0, columns = 0] = image.shape;
  const cut = into(image.dtype, [channels, height, width]);
  const [source, target] = [bytesOf(image), bytesOf(cut)];
  const elementBytes = dtypeBytes(image.dtype);
  const rowBytes = width * elementBytes;
  let to = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    for (let row = top; row < top + height; row += 1) {
      const from = ((channel * rows + row) * columns + left) * elementBytes;
      target.set(source.subarray(from, from + rowBytes), to);
      to += rowBytes;
    }
  }
  return cut;
}

/** @throws RangeError for an image that is smaller than a window of it */
export function checkHolds(
  what: string,
  [, rows = 0, columns = 0]: readonly number[],
  [height, width]: ImageSize,
): void {
  if (rows >= height && columns >= width) return;
  throw new RangeError(
    `${what} has an image of ${rows} x ${columns} pixels, which is smaller than the window of ${height} x ${width}; ` +
      'enlarge small images first (MinimumImageDimensions), or take a smaller window',
  );
}

/** @throws RangeError for what is no size */
export function checkSize(what: string, [height, width]: ImageSize): void {
  for (const length of [height, width])
    if (!Number.isInteger(length) || length < 1)
      throw new RangeError(`${what} is ${height} x ${width}; give height and width in pixels, whole numbers from 1`);
}
