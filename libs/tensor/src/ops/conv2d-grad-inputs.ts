import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { Constant } from '../graph/constant.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { formatShape, isKnown, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { conv2dOp } from './conv2d.js';
import { conv2dGradFilters } from './conv2d-grad-filters.js';
import { asGiven, checkOperands, checkShapes, forEachTerm, type ConvolutionParameters } from './convolution.js';
import { dimension } from './dimension.js';
import { toldSize } from './told-size.js';

/**
 * The gradient of a cost with respect to the image of a convolution, given that with respect to its output, and rows and columns of
 * the image as int64 scalars.
 */
export function conv2dGradInputs(
  gradient: Variable,
  filters: Variable,
  sizes: readonly [rows: Variable, columns: Variable],
  parameters: ConvolutionParameters,
): Variable {
  return applyOp(conv2dGradInputsOp(parameters), [gradient, filters, ...sizes]);
}

/** The shape of the image, given output and filters; throws, naming the op, where they do not fit as far as they are known. */
export function imageShape(
  opName: string,
  operands: readonly [output: Variable, filters: Variable],
  [rows, columns]: readonly [rows: Variable, columns: Variable],
  parameters: ConvolutionParameters,
): Dim[] {
  const [{ shape: output }, { shape: filters }] = operands;
  const perGroup = at(filters, 1);
  const { groups } = parameters;
  const channels = groups === 1 ? perGroup : isKnown(perGroup) ? perGroup * groups : null;
  const image = [at(output, 0), channels, sizeToGoBackTo(rows), sizeToGoBackTo(columns)];
  checkImage(opName, operands, output, image);
  checkShapes(opName, operands, { image, filters, output }, parameters);
  return image;
}

/** As {@link toldSize}, but negative too, which is refused with its reason. */
function sizeToGoBackTo(size: Variable): Dim {
  return size instanceof Constant ? size.toNumber() : toldSize(size);
}

/** Throws, naming op and operands, where there is nothing to go back from, or less than nothing to go back to. */
function checkImage(
  opName: string,
  operands: readonly Variable[],
  output: readonly Dim[],
  image: readonly Dim[],
): void {
  const told = `${opName}: ${operands.map(describe).join(' and ')}:`;
  if (output.slice(2).includes(0)) {
    throw new TensorTypeError(
      `${told} ${formatShape(output)} has no rows or no columns, as no convolution gives; give at least one of each`,
    );
  }
  if (image.slice(2).some((size) => isKnown(size) && size < 0)) {
    throw new TensorTypeError(
      `${told} the padding cuts off more than there is, which leaves ${formatShape(image)}; give a smaller one`,
    );
  }
}

/** The op of {@link conv2dGradInputs}. */
export const conv2dGradInputsOp = defineOp({
  name: 'conv2dGradInputs',
  inferTypes(inputs, parameters: ConvolutionParameters) {
    const [output, filters] = [at(inputs, 0), at(inputs, 1)];
    const operands = [output, filters] as const;
    checkOperands('conv2dGradInputs', operands);
    const shape = imageShape('conv2dGradInputs', operands, [at(inputs, 2), at(inputs, 3)], parameters);
    return [{ dtype: output.dtype, shape }];
  },
  grad(node, outputGradients, parameters) {
    const [output, filters] = [at(node.inputs, 0), at(node.inputs, 1)];
    const image = onlyGradient(node, outputGradients);
    const sizes = [dimension(filters, 2), dimension(filters, 3)] as const;
    return [
      applyOp(conv2dOp(parameters), [image, filters]),
      conv2dGradFilters(image, output, sizes, parameters),
      DISCONNECTED,
      DISCONNECTED,
    ];
  },
  run(inputs, node, parameters) {
    const [output, filters] = [at(inputs, 0), at(inputs, 1)];
    const [rows, columns] = [at(at(inputs, 2).data, 0), at(at(inputs, 3).data, 0)];
    const image = [at(output.shape, 0), at(filters.shape, 1) * parameters.groups, rows, columns];
    const shapes = { image, filters: filters.shape, output: output.shape };
    checkImage('conv2dGradInputs', node.inputs.slice(0, 2).map(asGiven), output.shape, image);
    checkShapes('conv2dGradInputs', node.inputs.slice(0, 2).map(asGiven), shapes, parameters);
    const result = dense(node.output.dtype, image);
    forEachTerm(shapes, parameters, (inImage, inFilters, inOutput) => {
      result.data[inImage] = at(result.data, inImage) + at(output.data, inOutput) * at(filters.data, inFilters);
    });
    return [result];
  },
});
