import { isAssignable, isKnown, type TensorType } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { dimension } from './dimension.js';
import { reshape } from './reshape.js';

/** `x` of the known sizes of `type`, where its own type knows fewer; the graph checks them when it runs. */
export function refine(x: Variable, type: TensorType): Variable {
  if (isAssignable(x.type, type)) return x;
  return reshape(
    x,
    type.shape.map((dim, axis) => (isKnown(dim) ? dim : dimension(x, axis))),
  );
}
