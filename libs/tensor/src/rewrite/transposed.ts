import type { Variable } from '../graph/variable.js';
import type { View } from './view.js';

/** The matrix that another one is the transposed of; undefined where it is of none. */
export function ofTransposed(variable: Variable, view: View): Variable | undefined {
  return withOrder(variable, '1,0', view);
}

/** The vector that a matrix of one column is; undefined where it is of none. */
export function ofColumn(variable: Variable, view: View): Variable | undefined {
  return withOrder(variable, '0,x', view);
}

/** What axes were put in that order of. */
function withOrder(variable: Variable, order: string, view: View): Variable | undefined {
  const owner = view.ownerOf(view.seenThrough(variable));
  const isOrdered = owner?.op.name === 'dimshuffle' && String(owner.op.parameters['order']) === order;
  return isOrdered ? owner.inputs[0] : undefined;
}
