import { applyOp, type Apply } from '../graph/apply.js';
import { TensorTypeError, type Dim, type TensorType } from '../graph/tensor-type.js';
import { Variable } from '../graph/variable.js';
import { dimensionOp } from '../ops/dimension.js';
import { sizeTold } from '../ops/told-size.js';

/** The types of what `node` gives where variables have other shapes; undefined where it refuses them. */
export function typesWith(
  node: Apply,
  shapeOf: (variable: Variable) => readonly Dim[],
): readonly TensorType[] | undefined {
  const withShape = (variable: Variable): Variable => {
    const shape = shapeOf(variable);
    const isSame = shape.every((dim, axis) => dim === variable.shape[axis]);
    return isSame ? variable : new Variable({ dtype: variable.dtype, shape });
  };
  const inputs = node.inputs.map((input) => {
    const size = sizeTold(input);
    return size === undefined ? withShape(input) : applyOp(dimensionOp({ axis: size.axis }), [withShape(size.of)]);
  });
  try {
    return node.op.inferTypes(inputs);
  } catch (error) {
    if (error instanceof TensorTypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
