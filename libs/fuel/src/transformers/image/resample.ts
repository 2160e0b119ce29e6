import { ndarray, type NdArray } from '@longrun/serialization';
import type { ImageSize } from './windows.js';

/** How pixels are made of those of an image of another size. */
export const RESAMPLINGS = ['nearest', 'bilinear', 'bicubic'] as const;
export type Resampling = (typeof RESAMPLINGS)[number];

/** @throws RangeError for a way that there is not */
export function checkResampling(what: string, resample: Resampling, ways: readonly Resampling[]): void {
  if (ways.includes(resample)) return;
  throw new RangeError(`${what}: resample is ${JSON.stringify(resample)}; give one of ${ways.join(', ')}`);
}

/**
 * An image `(channel, height, width)` in another size, as Pillow makes it: `nearest` of any dtype, the others of uint8, in whole numbers, and of floats. The same
 * bits on every machine.
 *
 * @throws TypeError for a dtype that cannot be mixed
 */
export function resized(image: NdArray, size: ImageSize, resampling: Resampling): NdArray {
  if (resampling === 'nearest') return nearest(image, size);
  const { dtype } = image;
  if (dtype !== 'uint8' && dtype !== 'float32' && dtype !== 'float64') {
    throw new TypeError(
      `images of ${dtype} cannot be resampled by ${resampling}; cast them to uint8 or float32, or take nearest`,
    );
  }
  const [channels = 0, rows = 0, columns = 0] = image.shape;
  const [height, width] = size;
  // As Pillow does, first along rows, and not at all where the length stays.
  const wide =
    width === columns
      ? image
      : mixed(image, { outer: channels * rows, from: columns, to: width, inner: 1 }, resampling);
  const flat =
    height === rows ? wide : mixed(wide, { outer: channels, from: rows, to: height, inner: width }, resampling);
  return { ...flat, shape: [channels, height, width] };
}

function nearest(image: NdArray, [height, width]: ImageSize): NdArray {
  const [channels = 0, rows = 0, columns = 0] = image.shape;
  const result = ndarray(image.dtype, [channels, height, width]);
  const [ys, xs] = [nearestOf(rows, height), nearestOf(columns, width)];
  const { data } = result;
  let to = 0;
  for (let channel = 0; channel < channels; channel += 1)
    for (const y of ys)
      for (const x of xs) {
        const pixel = image.data[(channel * rows + y) * columns + x];
        if (pixel !== undefined) data[to] = pixel;
        to += 1;
      }
  return result;
}

/** The pixel that each is taken from. */
function nearestOf(from: number, to: number): Uint32Array {
  const step = from / to;
  // Added up, as Pillow does.
  let at = step * 0.5;
  return Uint32Array.from({ length: to }, () => {
    const pixel = Math.min(Math.floor(at), from - 1);
    at += step;
    return pixel;
  });
}

interface Axis {
  readonly outer: number;
  readonly from: number;
  readonly to: number;
  readonly inner: number;
}

/** Each pixel along one axis as a weighted sum of some of those that there were. */
function mixed(image: NdArray, { outer, from, to, inner }: Axis, resampling: 'bilinear' | 'bicubic'): NdArray {
  const isWhole = image.dtype === 'uint8';
  const weights = Array.from({ length: to }, (_, at) => weightsOf(from, to, at, resampling, isWhole));
  const result = ndarray(image.dtype, [outer * to * inner]);
  const { data } = image;
  const sums = new Float64Array(inner);
  for (let block = 0; block < outer; block += 1)
    for (const [at, { first, factors }] of weights.entries()) {
      sums.fill(isWhole ? HALF : 0);
      for (const [k, factor] of factors.entries()) {
        const start = (block * from + first + k) * inner;
        for (let i = 0; i < inner; i += 1) sums[i] = (sums[i] ?? 0) + Number(data[start + i]) * factor;
      }
      const start = (block * to + at) * inner;
      for (let i = 0; i < inner; i += 1) {
        const sum = sums[i] ?? 0;
        result.data[start + i] = isWhole ? Math.max(0, Math.min(255, sum >> BITS)) : sum;
      }
    }
  return result;
}

/** Bits behind the point of the weights of whole numbers. */
const BITS = 22;
const HALF = 2 ** (BITS - 1);

function weightsOf(from: number, to: number, at: number, resampling: 'bilinear' | 'bicubic', isWhole: boolean) {
  const step = from / to;
  const stretch = Math.max(step, 1);
  const reach = (resampling === 'bilinear' ? 1 : 2) * stretch;
  const center = (at + 0.5) * step;
  const first = Math.max(0, Math.trunc(center - reach + 0.5));
  const end = Math.min(from, Math.trunc(center + reach + 0.5));
  const heights = Array.from({ length: end - first }, (_, k) =>
    weightAt((k + first - center + 0.5) / stretch, resampling),
  );
  const total = heights.reduce((sum, one) => sum + one, 0);
  const factors = heights.map((one) => {
    const share = total === 0 ? one : one / total;
    return isWhole ? Math.trunc(share * 2 ** BITS + (share < 0 ? -0.5 : 0.5)) : share;
  });
  return { first, factors };
}

/** Of the filter at a distance from its middle. */
function weightAt(distance: number, resampling: 'bilinear' | 'bicubic'): number {
  const x = Math.abs(distance);
  if (resampling === 'bilinear') return Math.max(0, 1 - x);
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
