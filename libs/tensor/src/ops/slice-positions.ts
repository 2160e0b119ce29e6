import { at } from '../arrays/at.js';
import { shown } from '../graph/arguments.js';
import { Constant, constant } from '../graph/constant.js';
import { isKnown, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { add } from './add.js';
import { arange } from './arange.js';
import { cast } from './cast.js';
import { dimension } from './dimension.js';
import { lt } from './lt.js';
import { maximum } from './maximum.js';
import { minimum } from './minimum.js';
import { mul } from './mul.js';
import { sub } from './sub.js';
import { where } from './where.js';

const BEYOND = Number.MAX_SAFE_INTEGER;

/** Where a slice starts or stops: an integer, an integer scalar, or null for the end that the step leaves open. */
export type Bound = number | Variable | null;

/** The bounds of a slice of x as int64 scalars, the open ones beyond any end; throws where they or the step are not integers. */
export function boundsOf(x: Variable, start: Bound, stop: Bound, step: number): [start: Variable, stop: Variable] {
  if (!Number.isInteger(step) || step === 0) {
    throw new TensorTypeError(
      `slice: ${describe(x)} cannot be cut in steps of ${shown(step)}; give an integer other than 0`,
    );
  }
  const [first, last] = step > 0 ? [0, BEYOND] : [BEYOND, -BEYOND];
  return [boundOf(start ?? first), boundOf(stop ?? last)];
}

function boundOf(bound: number | Variable): Variable {
  return typeof bound === 'number' ? constant(bound, 'int64') : cast(bound, 'int64');
}

/** Whether a slice from `start` to `stop` has all elements, however many there are, in their order or in reverse. */
export function isAll(start: number, stop: number, step: number): boolean {
  return step === 1 ? start === 0 && stop === BEYOND : step === -1 && start === BEYOND && stop === -BEYOND;
}

/** A bound of a slice counted from 0 and put where the elements end: between 0 and `size`, or between -1 and `size - 1` backwards. */
export function clampBound(bound: number, size: number, step: number): number {
  const fromStart = bound < 0 ? bound + size : bound;
  return step > 0 ? Math.max(0, Math.min(fromStart, size)) : Math.max(-1, Math.min(fromStart, size - 1));
}

/** The index of the first element of a slice of x, as an int64 scalar: `start` as {@link clampBound} has it. */
export function firstOf(x: Variable, start: Variable, axis: number, step: number): Variable {
  const known = at(x.shape, axis);
  if (isKnown(known) && start instanceof Constant) {
    return constant(clampBound(start.toNumber(), known, step), 'int64');
  }
  const size = dimension(x, axis);
  const fromStart = where(lt(start, 0), add(start, size), start);
  return step > 0 ? maximum(minimum(fromStart, size), 0) : maximum(minimum(fromStart, sub(size, 1)), -1);
}

/** The int64 vector `first, first + step, ...` of `count` elements. */
export function positionsFrom(first: Variable, count: Variable, step: number): Variable {
  if (first instanceof Constant && count instanceof Constant) {
    return arange(first.toNumber(), first.toNumber() + count.toNumber() * step, { step });
  }
  return arange(first, add(first, mul(count, step)), { step });
}
