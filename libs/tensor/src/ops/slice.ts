import { at } from '../arrays/at.js';
import { gather, offsets, stridesOf } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { Constant, constant } from '../graph/constant.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { unslice } from './unslice.js';

/** Options of {@link slice}. */
export interface SliceOptions {
  /** The axis to cut. Default 0. */
  readonly axis?: number;
}

/**
 * The part `[start, stop)` of one axis. Bounds are numbers or int64 scalars, 0 or more; what lies beyond the end is left out.
 */
export function slice(
  x: Variable,
  start: number | Variable,
  stop: number | Variable,
  options: SliceOptions = {},
): Variable {
  const axis = normalizeAxis('slice', x, options.axis ?? 0);
  return applyOp(sliceOp({ axis }), [x, bound(x, start), bound(x, stop)]);
}

/** The op of {@link slice}. */
export const sliceOp = defineOp({
  name: 'slice',
  inferTypes(inputs, { axis }: { readonly axis: number }) {
    const x = at(inputs, 0);
    const dim = slicedDim(at(x.shape, axis), at(inputs, 1), at(inputs, 2));
    return [{ dtype: x.dtype, shape: x.shape.with(axis, dim) }];
  },
  grad(node, outputGradients, { axis }) {
    const [x, start] = [at(node.inputs, 0), at(node.inputs, 1)];
    return [unslice(onlyGradient(node, outputGradients), x, start, axis), DISCONNECTED, DISCONNECTED];
  },
  run(inputs, _node, { axis }) {
    const x = at(inputs, 0);
    const size = at(x.shape, axis);
    const [start, stop] = [Math.min(at(at(inputs, 1).data, 0), size), Math.min(at(at(inputs, 2).data, 0), size)];
    const strides = stridesOf(x.shape);
    const shape = x.shape.with(axis, Math.max(0, stop - start));
    return [gather(x, shape, offsets(shape, strides, start * at(strides, axis)))];
  },
});

function bound(x: Variable, value: number | Variable): Variable {
  if (typeof value !== 'number') return cast(value, 'int64');
  if (Number.isInteger(value) && value >= 0) return constant(value, 'int64');
  throw new TensorTypeError(`slice: ${describe(x)} cannot be cut at ${value}; give an integer of 0 or more`);
}

function slicedDim(dim: Dim, start: Variable, stop: Variable): Dim {
  if (dim === null || !(start instanceof Constant) || !(stop instanceof Constant)) return null;
  return Math.max(0, Math.min(stop.toNumber(), dim) - Math.min(start.toNumber(), dim));
}
