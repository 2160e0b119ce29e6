import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { normalizeNewAxis } from './axis.js';
import { dimshuffle } from './dimshuffle.js';

/** x with a new axis of size 1 at `axis` of the result; a negative one counts from the end. */
export function expandDims(x: Variable, axis: number): Variable {
  checkArguments('expandDims', ['x', x, 'variable']);
  const position = normalizeNewAxis('expandDims', x, axis);
  const order: (number | 'x')[] = x.shape.map((_, own) => own);
  return dimshuffle(x, order.toSpliced(position, 0, 'x'));
}
