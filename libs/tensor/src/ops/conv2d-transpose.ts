import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { isKnown, promote, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { add } from './add.js';
import { cast } from './cast.js';
import { conv2dGradInputs, imageShape } from './conv2d-grad-inputs.js';
import { checkGroups, checkOperands } from './convolution.js';
import { dimension } from './dimension.js';
import { mul } from './mul.js';
import { sub } from './sub.js';
import { pairOf, type Pair } from './windows.js';

/** Options of {@link conv2dTranspose}. */
export interface Conv2dTransposeOptions {
  /** How many rows and columns of the result are cut off on each side. Default 0. */
  readonly padding?: Pair;
  /** How far apart the windows are that the elements of x are spread over. Default 1. */
  readonly strides?: Pair;
  /** How far the elements of a filter lie apart. Default 1. */
  readonly dilation?: Pair;
  /** Rows and columns more at the end, fewer than the strides: those that a convolution would not have reached. Default 0. */
  readonly outputPadding?: Pair;
  /** Into how many groups the channels are divided. Default 1. */
  readonly groups?: number;
}

/**
 * What a convolution that does not flip its filters does backwards: x (batch, channels, rows, columns) with filters (channels,
 * output channels / groups, rows, columns) makes (batch, output channels, rows, columns), the gradient of the image of the
 * convolution whose output has the gradient x. Theano's `AbstractConv2d_gradInputs`, with PyTorch's options. Floats only.
 */
export function conv2dTranspose(x: Variable, filters: Variable, options: Conv2dTransposeOptions = {}): Variable {
  checkArguments(
    'conv2dTranspose',
    ['x', x, 'variable'],
    ['filters', filters, 'variable'],
    ['options', options, 'options'],
  );
  checkOperands('conv2dTranspose', [x, filters]);
  const { groups = 1 } = options;
  checkGroups('conv2dTranspose', x, groups);
  const pair = (name: string, value: Pair | undefined, least: 0 | 1): readonly [number, number] =>
    pairOf('conv2dTranspose', describe(x), { name, value: value ?? least, least });
  const [padding, strides] = [pair('a padding', options.padding, 0), pair('strides', options.strides, 1)];
  const dilation = pair('a dilation', options.dilation, 1);
  const extra = pair('an output padding', options.outputPadding, 0);
  if (extra[0] >= strides[0] || extra[1] >= strides[1]) {
    throw new TensorTypeError(
      `conv2dTranspose: an output padding of [${String(extra)}] for ${describe(x)} must be less than the strides [${String(strides)}]`,
    );
  }
  const size = (axis: 0 | 1): Variable => {
    const [rows, taps] = [at(x.shape, axis + 2), at(filters.shape, axis + 2)];
    const fixed = 1 - 2 * padding[axis] + extra[axis];
    if (isKnown(rows) && isKnown(taps)) {
      return constant((rows - 1) * strides[axis] + (taps - 1) * dilation[axis] + fixed, 'int64');
    }
    const starts = mul(sub(dimension(x, axis + 2), 1), strides[axis]);
    return add(add(starts, mul(sub(dimension(filters, axis + 2), 1), dilation[axis])), fixed);
  };
  const parameters = { pads: [...padding, ...padding], strides, dilation, groups } as const;
  const sizes = [size(0), size(1)] as const;
  imageShape('conv2dTranspose', [x, filters], sizes, parameters);
  const dtype = promote(x.dtype, filters.dtype);
  return conv2dGradInputs(cast(x, dtype), cast(filters, dtype), sizes, parameters);
}
