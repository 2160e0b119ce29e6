import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { formatShape, isKnown, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { broadcastTo } from './broadcast-to.js';
import { concatenate } from './concatenate.js';
import { dimension } from './dimension.js';
import { maximum } from './maximum.js';
import { sub } from './sub.js';
import { pairOf, windowCount, windowsOfAxis, type Pair, type Windows } from './windows.js';

/** How pooling divides an image into windows. */
export interface PoolOptions {
  /** Rows and columns of a window. */
  readonly size: Pair;
  /** How far it is from one window to the next. Default: the size of a window. */
  readonly strides?: Pair;
  /** Rows and columns around the image that count for no element, fewer than a window has. Default 0. */
  readonly padding?: Pair;
  /**
   * Whether what does not fill a window at the end is left out; else it is a window of its own, also where it is the whole image, and there is no
   * padding. Default true.
   */
  readonly ignoreBorder?: boolean;
}

/**
 * The shape of an image (batch, channels, rows, columns) after pooling, not known where it follows from a size that is not. Theano's
 * `Pool.out_shape`.
 */
export function poolOutputShape(image: readonly Dim[], options: PoolOptions): Dim[] {
  checkArguments('poolOutputShape', ['image', image, 'dims'], ['options', options, 'options']);
  const subject = `an image of ${formatShape(image)}`;
  if (image.length !== 4) {
    throw new TensorTypeError(
      `poolOutputShape: ${subject} must have four axes: (batch, channels, rows, columns); reshape it`,
    );
  }
  return pooledShape('poolOutputShape', subject, image, poolWindows('poolOutputShape', subject, image, options));
}

/** The parameters of the ops that pool. */
export type PoolParameters = Windows & { readonly size: readonly [rows: number, columns: number] };

/** The options of pooling as windows. */
export function poolWindows(
  opName: string,
  subject: string,
  image: readonly Dim[],
  options: PoolOptions,
): PoolParameters {
  const { ignoreBorder = true } = options;
  const size = pairOf(opName, subject, { name: 'windows', value: options.size, least: 1 });
  const strides = pairOf(opName, subject, { name: 'strides', value: options.strides ?? size, least: 1 });
  const padding = pairOf(opName, subject, { name: 'a padding', value: options.padding ?? 0, least: 0 });
  if (padding[0] >= size[0] || padding[1] >= size[1]) {
    throw new TensorTypeError(
      `${opName}: a padding of [${String(padding)}] around ${subject} must be less than the windows of [${String(size)}]`,
    );
  }
  if (!ignoreBorder && Math.max(...padding) > 0) {
    throw new TensorTypeError(
      `${opName}: ${subject} cannot have a padding of [${String(padding)}] and keep its border; set ignoreBorder, or give no padding`,
    );
  }
  // Enough for a last window that begins within the image, whatever its size, and for none that begins behind it; and for one at least.
  const after = (axis: 0 | 1): number => {
    if (ignoreBorder) return padding[axis];
    const [most, known] = [Math.min(size[axis], strides[axis]) - 1, at(image, axis + 2)];
    return isKnown(known) ? Math.max(most, size[axis] - Math.max(known, 1)) : most;
  };
  return { size, pads: [...padding, after(0), after(1)], strides, dilation: [1, 1] };
}

/**
 * An image of which only the data tell whether it fills one window, with as much of `value` after its rows and columns as makes it do so; as it
 * is where the windows have pads enough, or what does not fill one is left out.
 */
export function fillingOne(
  x: Variable,
  value: number,
  { size, pads }: PoolParameters,
  { ignoreBorder = true }: PoolOptions,
): Variable {
  if (ignoreBorder) return x;
  return ([0, 1] as const).reduce((filled, axis) => {
    const least = size[axis] - at(pads, axis + 2);
    if (isKnown(at(x.shape, axis + 2)) || least <= 1) return filled;
    const missing = maximum(sub(least, maximum(dimension(x, axis + 2), 1)), 0);
    const sizes = filled.shape.map((_, own) => (own === axis + 2 ? missing : dimension(filled, own)));
    return concatenate([filled, broadcastTo(constant(value, x.dtype), sizes)], axis + 2);
  }, x);
}

/** The shape of an image after pooling; throws where the image is smaller than a window. */
export function pooledShape(opName: string, subject: string, image: readonly Dim[], parameters: PoolParameters): Dim[] {
  const counts = ([0, 1] as const).map((axis) =>
    windowCount(at(image, axis + 2), parameters.size[axis], windowsOfAxis(parameters, axis)),
  );
  if (counts.every((count) => !isKnown(count) || count > 0)) return [at(image, 0), at(image, 1), ...counts];
  throw new TensorTypeError(
    `${opName}: windows of [${String(parameters.size)}] are larger than ${subject}; give smaller ones, or a padding`,
  );
}
