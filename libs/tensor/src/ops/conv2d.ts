import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { promote, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { add } from './add.js';
import { zeros } from './broadcast-to.js';
import { cast } from './cast.js';
import { concatenate } from './concatenate.js';
import { conv2dGradFilters } from './conv2d-grad-filters.js';
import { conv2dGradInputs } from './conv2d-grad-inputs.js';
import { convolutionWindows, type ConvolutionOptions } from './conv-output-shape.js';
import {
  asGiven,
  checkGroups,
  checkOperands,
  checkShapes,
  forEachTerm,
  outputShape,
  type ConvolutionParameters,
  type ConvolutionShapes,
} from './convolution.js';
import { dimension } from './dimension.js';
import { floorDiv } from './division.js';
import { flip } from './flip.js';
import { mul } from './mul.js';
import { sub } from './sub.js';

/** Options of {@link conv2d}. */
export interface Conv2dOptions extends ConvolutionOptions {
  /** Into how many groups the channels are divided, each with filters of its own. Default 1. */
  readonly groups?: number;
  /** Whether filters are turned by half a circle, as in mathematics and Theano; else it is a cross-correlation. Default true. */
  readonly flipFilters?: boolean;
}

/**
 * The convolution of images (batch, channels, rows, columns) with filters (output channels, channels / groups, rows, columns), as
 * Theano's `conv2d`: (batch, output channels, rows, columns). Floats only.
 */
export function conv2d(x: Variable, filters: Variable, options: Conv2dOptions = {}): Variable {
  checkArguments('conv2d', ['x', x, 'variable'], ['filters', filters, 'variable'], ['options', options, 'options']);
  checkOperands('conv2d', [x, filters]);
  const { flipFilters = true, groups = 1, border } = options;
  checkGroups('conv2d', x, groups);
  const { strides, dilation, borders } = convolutionWindows('conv2d', describe(x), filters.shape, options);
  const [vertical, horizontal] = [borders[0] ?? 0, borders[1] ?? 0];
  const parameters = { pads: [vertical, horizontal, vertical, horizontal], strides, dilation, groups } as const;
  const bordered = x.shape.map((size, axis) => (axis > 1 && at(borders, axis - 2) === null ? null : size));
  conv2dShape([x, filters], { image: bordered, filters: filters.shape }, parameters);
  const dtype = promote(x.dtype, filters.dtype);
  const kernels = flipFilters ? flip(filters, { axis: [2, 3] }) : filters;
  let image = cast(x, dtype);
  for (const axis of [0, 1] as const) {
    if (borders[axis] !== null) continue;
    const reach = mul(sub(dimension(filters, axis + 2), 1), dilation[axis]);
    image = withZerosAround(image, axis + 2, border === 'full' ? reach : floorDiv(add(reach, 1), 2));
  }
  return applyOp(conv2dOp(parameters), [image, cast(kernels, dtype)]);
}

/** The shape of the output; throws, naming the operands, where the shapes do not fit as far as they are known. */
function conv2dShape(
  operands: readonly Variable[],
  shapes: Pick<ConvolutionShapes<Dim>, 'image' | 'filters'>,
  parameters: ConvolutionParameters,
): Dim[] {
  const output = outputShape(shapes, parameters);
  checkShapes('conv2d', operands, { ...shapes, output }, parameters);
  return output;
}

/** x with `size` zeros before and after what it has along `axis`. */
function withZerosAround(x: Variable, axis: number, size: Variable): Variable {
  const sizes = x.shape.map((_, own) => (own === axis ? size : dimension(x, own)));
  const side = zeros(sizes, x.dtype);
  return concatenate([side, x, side], axis);
}

/** The op of {@link conv2d}: a cross-correlation. */
export const conv2dOp = defineOp({
  name: 'conv2d',
  inferTypes(inputs, parameters: ConvolutionParameters) {
    const [x, filters] = [at(inputs, 0), at(inputs, 1)];
    checkOperands('conv2d', inputs);
    return [{ dtype: x.dtype, shape: conv2dShape(inputs, { image: x.shape, filters: filters.shape }, parameters) }];
  },
  grad(node, outputGradients, parameters) {
    const [x, filters] = [at(node.inputs, 0), at(node.inputs, 1)];
    const gradient = onlyGradient(node, outputGradients);
    return [
      conv2dGradInputs(gradient, filters, [dimension(x, 2), dimension(x, 3)], parameters),
      conv2dGradFilters(x, gradient, [dimension(filters, 2), dimension(filters, 3)], parameters),
    ];
  },
  run(inputs, node, parameters) {
    const [x, filters] = [at(inputs, 0), at(inputs, 1)];
    const { shape: image } = x;
    const output = conv2dShape(node.inputs.map(asGiven), { image, filters: filters.shape }, parameters).map(Number);
    const shapes = { image, filters: filters.shape, output };
    const result = dense(node.output.dtype, output);
    forEachTerm(shapes, parameters, (inImage, inFilters, inOutput) => {
      result.data[inOutput] = at(result.data, inOutput) + at(x.data, inImage) * at(filters.data, inFilters);
    });
    return [result];
  },
});
