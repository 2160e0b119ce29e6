import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { describe, type Variable } from '../graph/variable.js';
import { ones } from './broadcast-to.js';
import { conv2dOp } from './conv2d.js';
import { checkOperands } from './convolution.js';
import { dimension, elementCount } from './dimension.js';
import { div } from './div.js';
import { fillingOne, pooledShape, poolWindows, type PoolOptions, type PoolParameters } from './pool-output-shape.js';
import { reshape } from './reshape.js';

/** Options of {@link averagePool2d}. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether the padding counts as zeros: Theano's modes 'average_inc_pad' and 'average_exc_pad'. Default true. */
  readonly countPadding?: boolean;
}

/**
 * The mean of each window of images (batch, channels, rows, columns); of a window that the border cuts, the mean of what there is.
 * Theano's `pool_2d` in its modes of averages. Floats only.
 */
export function averagePool2d(x: Variable, options: AveragePoolOptions): Variable {
  checkArguments('averagePool2d', ['x', x, 'variable'], ['options', options, 'options']);
  checkOperands('averagePool2d', [x]);
  const windows = poolWindows('averagePool2d', describe(x), x.shape, options);
  pooledShape('averagePool2d', describe(x), x.shape, windows);
  const { countPadding = true, ignoreBorder = true } = options;
  const [rows, columns] = [dimension(x, 2), dimension(x, 3)];
  // Each channel of each example by itself.
  const planes = reshape(x, [elementCount(x, [0, 1]), 1, rows, columns]);
  const sums = sumPool(fillingOne(planes, 0, windows, options), windows);
  const pooled = reshape(sums, [dimension(x, 0), dimension(x, 1), dimension(sums, 2), dimension(sums, 3)]);
  const isWhole = ignoreBorder && (countPadding || windows.pads.every((size) => size === 0));
  if (isWhole) return div(pooled, windows.size[0] * windows.size[1]);
  const counted = fillingOne(ones([1, 1, rows, columns], x.dtype), 0, windows, options);
  return div(pooled, sumPool(counted, windows));
}

/** The sum of each window of images of one channel. */
function sumPool(x: Variable, { size, ...windows }: PoolParameters): Variable {
  return applyOp(conv2dOp({ ...windows, groups: 1 }), [x, ones([1, 1, ...size], x.dtype)]);
}
