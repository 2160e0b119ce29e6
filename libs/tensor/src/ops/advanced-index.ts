import { checkArguments } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { add } from './add.js';
import { and } from './and.js';
import { dimension, elementCount } from './dimension.js';
import { ge } from './ge.js';
import { integerIndices } from './indices.js';
import { lt } from './lt.js';
import { mul } from './mul.js';
import { reshape } from './reshape.js';
import { take } from './take.js';
import { where } from './where.js';

/**
 * NumPy's advanced indexing of the leading axes: `output[p] = x[first[p], second[p]]`, and so for any number of indices, which are
 * integers and broadcast against one another. Negative ones count from the end; one out of range is an error when the graph
 * runs. One index takes rows, as {@link take} along axis 0 does.
 */
export function advancedIndex(x: Variable, ...indices: readonly Variable[]): Variable {
  checkArguments(
    'advancedIndex',
    ['x', x, 'variable'],
    ...indices.map((given) => ['indices', given, 'variable'] as const),
  );
  if (indices.length === 0 || indices.length > x.ndim) {
    throw new TensorTypeError(
      `advancedIndex: ${describe(x)} has ${x.ndim} axes but there are ${indices.length} indices; give one for each leading axis, and one at least`,
    );
  }
  const axes = indices.map((_, axis) => axis);
  let position: Variable = constant(0, 'int64');
  let inside: Variable = constant(true);
  for (const [axis, given] of indices.entries()) {
    const size = dimension(x, axis);
    const index = integerIndices('advancedIndex', x, given);
    const fromStart = where(lt(index, 0), add(index, size), index);
    inside = and(inside, and(ge(fromStart, 0), lt(fromStart, size)));
    position = add(mul(position, size), fromStart);
  }
  const count = elementCount(x, axes);
  const rest = x.shape.flatMap((_, axis) => (axis < indices.length ? [] : [dimension(x, axis)]));
  // Out of the range of its own axis an index might still point into x, at another row: it is sent beyond the end.
  return take(reshape(x, [count, ...rest]), where(inside, position, count), { axis: 0 });
}
