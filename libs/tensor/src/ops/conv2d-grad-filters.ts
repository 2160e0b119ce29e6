import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { conv2dOp } from './conv2d.js';
import { conv2dGradInputs } from './conv2d-grad-inputs.js';
import { checkOperands, checkShapes, forEachTerm, type ConvolutionParameters } from './convolution.js';
import { dimension } from './dimension.js';
import { toldSize } from './told-size.js';

/**
 * The gradient of a cost with respect to the filters of a convolution, given its image, the gradient with respect to its output, and
 * rows and columns of the filters as int64 scalars.
 */
export function conv2dGradFilters(
  image: Variable,
  gradient: Variable,
  sizes: readonly [rows: Variable, columns: Variable],
  parameters: ConvolutionParameters,
): Variable {
  return applyOp(conv2dGradFiltersOp(parameters), [image, gradient, ...sizes]);
}

/** The op of {@link conv2dGradFilters}. */
export const conv2dGradFiltersOp = defineOp({
  name: 'conv2dGradFilters',
  inferTypes(inputs, parameters: ConvolutionParameters) {
    const [image, output] = [at(inputs, 0), at(inputs, 1)];
    const operands = [image, output];
    checkOperands('conv2dGradFilters', operands);
    const channels = at(image.shape, 1);
    const { groups } = parameters;
    const perGroup = groups === 1 ? channels : isKnown(channels) ? Math.floor(channels / groups) : null;
    const filters = [at(output.shape, 1), perGroup, toldSize(at(inputs, 2)), toldSize(at(inputs, 3))];
    checkShapes('conv2dGradFilters', operands, { image: image.shape, filters, output: output.shape }, parameters);
    return [{ dtype: output.dtype, shape: filters }];
  },
  grad(node, outputGradients, parameters) {
    const [image, output] = [at(node.inputs, 0), at(node.inputs, 1)];
    const filters = onlyGradient(node, outputGradients);
    const sizes = [dimension(image, 2), dimension(image, 3)] as const;
    return [
      conv2dGradInputs(output, filters, sizes, parameters),
      applyOp(conv2dOp(parameters), [image, filters]),
      DISCONNECTED,
      DISCONNECTED,
    ];
  },
  run(inputs, node, parameters) {
    const [image, output] = [at(inputs, 0), at(inputs, 1)];
    const [rows, columns] = [at(at(inputs, 2).data, 0), at(at(inputs, 3).data, 0)];
    const filters = [at(output.shape, 1), Math.floor(at(image.shape, 1) / parameters.groups), rows, columns];
    const shapes = { image: image.shape, filters, output: output.shape };
    checkShapes('conv2dGradFilters', node.inputs.slice(0, 2), shapes, parameters);
    const result = dense(node.output.dtype, filters);
    forEachTerm(shapes, parameters, (inImage, inFilters, inOutput) => {
      result.data[inFilters] = at(result.data, inFilters) + at(image.data, inImage) * at(output.data, inOutput);
    });
    return [result];
  },
});
