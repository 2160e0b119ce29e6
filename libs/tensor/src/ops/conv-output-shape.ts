import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { oneOf } from '../graph/one-of.js';
import { formatShape, isKnown, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { pairOf, spanOf, windowCount, type Pair } from './windows.js';

const BORDER_MODES = ['valid', 'half', 'full'] as const;

/** The zeros around an image by a word: see {@link ConvolutionOptions}. */
export type BorderMode = (typeof BORDER_MODES)[number];

/** How a convolution moves over the image. */
export interface ConvolutionOptions {
  /**
   * The zeros around the image: none ('valid', the default), as many as half of what a filter spans, rounded down ('half': odd
   * filters keep the size), all that a filter can touch ('full'), or a number of rows and columns on each side.
   */
  readonly border?: BorderMode | Pair;
  /** How far it is from one window to the next. Default 1. */
  readonly strides?: Pair;
  /** How far the elements of a filter lie apart. Default 1. */
  readonly dilation?: Pair;
}

/**
 * The shape of the convolution of an image (batch, channels, rows, columns) with filters (output channels, channels, rows, columns),
 * not known where it follows from a size that is not. Theano's `get_conv_output_shape`.
 */
export function convOutputShape(
  image: readonly Dim[],
  filters: readonly Dim[],
  options: ConvolutionOptions = {},
): Dim[] {
  checkArguments(
    'convOutputShape',
    ['image', image, 'dims'],
    ['filters', filters, 'dims'],
    ['options', options, 'options'],
  );
  const subject = `an image of ${formatShape(image)}`;
  if (image.length !== 4 || filters.length !== 4) {
    throw new TensorTypeError(
      `convOutputShape: ${subject} and filters of ${formatShape(filters)} must have four axes each`,
    );
  }
  const reason = whyFiltersAreNone(filters);
  if (reason !== undefined) throw new TensorTypeError(`convOutputShape: ${reason}`);
  const { strides, dilation, borders } = convolutionWindows('convOutputShape', subject, filters, options);
  const counts = ([0, 1] as const).map((axis) => {
    const border = borders[axis] ?? 0;
    const windows = { before: border, after: border, stride: strides[axis], dilation: dilation[axis] };
    const count = windowCount(at(image, axis + 2), at(filters, axis + 2), windows);
    if (!isKnown(count) || count > 0) return count;
    throw new TensorTypeError(
      `convOutputShape: filters of ${formatShape(filters)} are larger than ${subject}; give smaller ones, or a border`,
    );
  });
  return [at(image, 0), at(filters, 0), ...counts];
}

/** What is wrong with filters that cover nothing, as far as their sizes are known. */
export function whyFiltersAreNone(filters: readonly Dim[]): string | undefined {
  if (at(filters, 2) !== 0 && at(filters, 3) !== 0) return undefined;
  return `filters of ${formatShape(filters)} have no rows or no columns; give at least one of each`;
}

/** The options of a convolution as numbers; a border is null where it follows from a size of the filters that is not known. */
export function convolutionWindows(
  opName: string,
  subject: string,
  filters: readonly Dim[],
  options: ConvolutionOptions,
): {
  readonly strides: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly borders: readonly [rows: number | null, columns: number | null];
} {
  const { border = 'valid' } = options;
  const strides = pairOf(opName, subject, { name: 'strides', value: options.strides ?? 1, least: 1 });
  const dilation = pairOf(opName, subject, { name: 'a dilation', value: options.dilation ?? 1, least: 1 });
  if (typeof border === 'string') oneOf(opName, 'border', border, BORDER_MODES);
  if (border === 'valid') return { strides, dilation, borders: [0, 0] };
  if (typeof border !== 'string') {
    return { strides, dilation, borders: pairOf(opName, subject, { name: 'a border', value: border, least: 0 }) };
  }
  const along = (axis: 0 | 1): number | null => {
    const size = at(filters, axis + 2);
    if (!isKnown(size)) return null;
    const reach = spanOf(size, dilation[axis]);
    return border === 'full' ? reach - 1 : Math.floor(reach / 2);
  };
  return { strides, dilation, borders: [along(0), along(1)] };
}
