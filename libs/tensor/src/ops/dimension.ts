import { sizeOf } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { Constant, constant } from '../graph/constant.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp } from '../graph/op.js';
import { isAllKnown, isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { normalizeAxis } from './axis.js';
import { mul } from './mul.js';

/** The size of one axis of x as an int64 scalar: a constant where it is known, else computed when the graph runs. */
export function dimension(x: Variable, axis: number): Variable {
  checkArguments('dimension', ['x', x, 'variable']);
  const normal = normalizeAxis('dimension', x, axis);
  const dim = at(x.shape, normal);
  return isKnown(dim) ? constant(dim, 'int64') : applyOp(dimensionOp({ axis: normal }), [x]);
}

/** The size of one axis of x: a number where it is known, else an int64 scalar. */
export function sizeAlong(x: Variable, axis: number): number | Variable {
  const dim = at(x.shape, axis);
  return isKnown(dim) ? dim : dimension(x, axis);
}

/** The number of elements along `axes` of x together: a number where it is known, else an int64 scalar. */
export function elementCount(x: Variable, axes: readonly number[]): number | Variable {
  const dims = axes.map((axis) => at(x.shape, normalizeAxis('elementCount', x, axis)));
  if (isAllKnown(dims)) return sizeOf(dims);
  // Without the ones: of a single size beside them the product is that size, whose name it has.
  const factors = axes.filter((axis) => at(x.shape, axis) !== 1);
  return factors.map((axis) => dimension(x, axis)).reduce((product, size) => mul(product, size));
}

/** The sum of two int64 scalars: a constant where both are, so that a slice that ends there has a known size. */
export function sumOfSizes(a: Variable, b: Variable): Variable {
  return a instanceof Constant && b instanceof Constant ? constant(a.toNumber() + b.toNumber(), 'int64') : add(a, b);
}

/** The op of {@link dimension}. */
export const dimensionOp = defineOp({
  name: 'dimension',
  inferTypes: (_inputs, _parameters: { readonly axis: number }) => [{ dtype: 'int64', shape: [] }],
  grad: () => [DISCONNECTED],
  run: (inputs, _node, { axis }) => [dense('int64', [], Float64Array.of(at(at(inputs, 0).shape, axis)))],
});

/** The sizes of all axes, as {@link dimension} gives them. */
export function dimensions(x: Variable): Variable[] {
  return x.shape.map((_, axis) => dimension(x, axis));
}
