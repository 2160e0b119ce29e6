import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeNewAxis } from './axis.js';
import { concatenate } from './concatenate.js';
import { expandDims } from './expand-dims.js';

/** Joins variables of one shape along a new axis, 0 by default, counted in the result. */
export function stack(parts: readonly Variable[], axis = 0): Variable {
  checkArguments('stack', ['parts', parts, 'variables']);
  const [first] = parts;
  if (first === undefined) throw new TensorTypeError('stack: no variables were given; give at least one');
  const position = normalizeNewAxis('stack', first, axis);
  if (parts.some(({ ndim }) => ndim !== first.ndim)) {
    throw new TensorTypeError(
      `stack: ${parts.map(describe).join(', ')} differ in their axes; they must have one shape`,
    );
  }
  return concatenate(
    parts.map((part) => expandDims(part, position)),
    position,
  );
}
