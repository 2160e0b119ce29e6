import { at } from '../arrays/at.js';
import { gather, offsets, stridesOf } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { Constant } from '../graph/constant.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { dimension } from './dimension.js';
import { zerosLike } from './fill.js';
import { putRows } from './scatter-add.js';
import { boundsOf, clampBound, firstOf, isAll, positionsFrom, type Bound } from './slice-positions.js';
import { sub } from './sub.js';
import { unslice } from './unslice.js';

/** Options of {@link slice}. */
export interface SliceOptions {
  /** The axis to cut. Default 0. */
  readonly axis?: number;
  /** Every how many elements one is taken; a negative one goes backwards from `start`. Default 1. */
  readonly step?: number;
}

/**
 * The part `start:stop:step` of one axis, as NumPy has it: negative bounds count from the end, what lies beyond either end is left out.
 */
export function slice(x: Variable, start: Bound, stop: Bound, options: SliceOptions = {}): Variable {
  checkArguments(
    'slice',
    ['x', x, 'variable'],
    ['start', start, 'bound'],
    ['stop', stop, 'bound'],
    ['options', options, 'options'],
  );
  const axis = normalizeAxis('slice', x, options.axis ?? 0);
  const step = options.step ?? 1;
  return applyOp(sliceOp({ axis, step }), [x, ...boundsOf(x, start, stop, step)]);
}

/** The op of {@link slice}. */
export const sliceOp = defineOp({
  name: 'slice',
  inferTypes(inputs, { axis, step }: { readonly axis: number; readonly step: number }) {
    const [x, start, stop] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    if (!(start instanceof Constant && stop instanceof Constant)) {
      return [{ dtype: x.dtype, shape: x.shape.with(axis, null) }];
    }
    const [first, last, size] = [start.toNumber(), stop.toNumber(), at(x.shape, axis)];
    const ofUnknown = isAll(first, last, step) ? size : null;
    const dim = isKnown(size) ? rangeOf(size, first, last, step).count : ofUnknown;
    return [{ dtype: x.dtype, shape: x.shape.with(axis, dim) }];
  },
  grad(node, outputGradients, { axis, step }) {
    const x = at(node.inputs, 0);
    const gradient = onlyGradient(node, outputGradients);
    const first = firstOf(x, at(node.inputs, 1), axis, step);
    return [unsliced(gradient, x, first, axis, step), DISCONNECTED, DISCONNECTED];
  },
  run(inputs, _node, { axis, step }) {
    const x = at(inputs, 0);
    const { first, count } = rangeOf(at(x.shape, axis), at(at(inputs, 1).data, 0), at(at(inputs, 2).data, 0), step);
    const strides = stridesOf(x.shape);
    const shape = x.shape.with(axis, count);
    const stride = at(strides, axis);
    return [gather(x, shape, offsets(shape, strides.with(axis, step * stride), first * stride))];
  },
});

/** Zeros like x, with `part` where the slice from `first` on took it. */
function unsliced(part: Variable, x: Variable, first: Variable, axis: number, step: number): Variable {
  if (step === 1) return unslice(part, x, first, axis);
  const count = dimension(part, axis);
  if (step === -1) return unslice(slice(part, null, null, { axis, step }), x, sub(first, sub(count, 1)), axis);
  return putRows('slice', zerosLike(x), positionsFrom(first, count, step), part, { axis, mode: 'set' });
}

/** The index of the first element of a slice of an axis of `size`, and how many there are. */
export function rangeOf(size: number, start: number, stop: number, step: number): { first: number; count: number } {
  const first = clampBound(start, size, step);
  return { first, count: Math.max(0, Math.ceil((clampBound(stop, size, step) - first) / step)) };
}
