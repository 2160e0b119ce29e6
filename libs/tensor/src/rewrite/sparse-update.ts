import { Constant } from '../graph/constant.js';
import { isAllKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { mul } from '../ops/mul.js';
import { neg } from '../ops/neg.js';
import { putAlongAxis } from '../ops/put-along-axis.js';
import { eitherWay, hole, isScalar, op, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import type { View } from './view.js';

/**
 * `x + zeros.inc(i, v)` as `x.inc(i, v)`, as a table is updated by the gradients of the rows that were looked up. What stands at an index that comes
 * twice is summed in another order, and -0 stays where nothing is added.
 */
export const sparseSum: Rewrite = {
  name: 'sparse update',
  pattern: eitherWay('add', hole('x'), hole('sparse', isSparse)),
  check: whyNot,
  replacement: (match) => putInto(match.of('x'), match.of('sparse'), (values) => values, match.view),
};

/** `x - zeros.inc(i, v)`, likewise. */
export const sparseDifference: Rewrite = {
  name: 'sparse update by a difference',
  pattern: op('sub', hole('x'), hole('sparse', isSparse)),
  check: whyNot,
  replacement: (match) => putInto(match.of('x'), match.of('sparse'), neg, match.view),
};

/** `s · zeros.inc(i, v)` as `zeros.inc(i, s · v)`, for a number s that is finite: of another one, 0 times it is none. */
export const sparseProduct: Rewrite = {
  name: 'sparse product',
  pattern: eitherWay(
    'mul',
    hole('factor', ({ ndim }) => ndim === 0),
    hole('sparse', isSparse),
  ),
  replacement(match) {
    const sparse = match.of('sparse');
    const [zeros, , values] = operandsOf(sparse, match.view);
    if (zeros === undefined || values === undefined || sparse.dtype !== match.node.output.dtype) return undefined;
    return putInto(zeros, sparse, (rows) => mul(match.of('factor'), rows), match.view);
  },
};

function whyNot(match: Match): string | undefined {
  const [x, sparse] = [match.of('x'), match.of('sparse')];
  const isSameSize = isAllKnown(x.shape) && x.shape.join() === sparse.shape.join();
  return isSameSize ? undefined : 'it may broadcast';
}

function operandsOf(sparse: Variable, view: View): readonly Variable[] {
  return view.operandsOf('putAlongAxis', sparse) ?? [];
}

function putInto(x: Variable, sparse: Variable, of: (values: Variable) => Variable, view: View): Variable {
  const [, places, values] = operandsOf(sparse, view);
  const axis = view.seenThrough(sparse).owner?.op.parameters['axis'];
  if (places === undefined || values === undefined || typeof axis !== 'number') throw new Error('it is not sparse');
  return putAlongAxis(x, places, of(values), { axis, mode: 'add' });
}

/** Zeros to which values are added at some places. */
function isSparse(variable: Variable, view: View): boolean {
  const [zeros] = operandsOf(variable, view);
  const mode = view.seenThrough(variable).owner?.op.parameters['mode'];
  return zeros !== undefined && mode === 'add' && isZeros(zeros, view);
}

function isZeros(variable: Variable, view: View): boolean {
  if (variable instanceof Constant)
    return isScalar(variable, 0) || variable.value.data.every((one) => Object.is(Number(one), 0));
  const [, value] = view.operandsOf('fill', variable) ?? [];
  if (value !== undefined) return isZeros(value, view);
  const [spread] = view.operandsOf('broadcastTo', variable) ?? [];
  return spread !== undefined && isZeros(spread, view);
}
