import { shown } from '../graph/arguments.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';

/** Options of the ops that work along one axis. */
export interface AxisOptions {
  /** Negative ones count from the end. */
  readonly axis?: number;
}

/** The axes of `x` named by `axis`, counted from 0 and sorted; all of them without `axis`. Negative ones count from the end. */
export function normalizeAxes(opName: string, x: Variable, axis: number | readonly number[] | undefined): number[] {
  if (axis === undefined) return x.shape.map((_, at) => at);
  const axes = (Array.isArray(axis) ? axis : [axis]).map((one) => normalizeAxis(opName, x, one));
  if (new Set(axes).size < axes.length) {
    throw new TensorTypeError(`${opName}: axes ${shown(axis)} of ${describe(x)} name one axis twice; name each once`);
  }
  return axes.toSorted((a, b) => a - b);
}

/** One axis of `x`, counted from 0. */
export function normalizeAxis(opName: string, x: Variable, axis: number): number {
  if (Number.isInteger(axis) && axis >= -x.ndim && axis < x.ndim) return axis < 0 ? axis + x.ndim : axis;
  throw new TensorTypeError(
    `${opName}: ${describe(x)} has ${x.ndim} axes but axis is ${shown(axis)}; give one from ${-x.ndim} to ${x.ndim - 1}`,
  );
}

/** The axis, counted from 0, that a new axis at `axis` has in a result of one axis more than x. */
export function normalizeNewAxis(opName: string, x: Variable, axis: number): number {
  if (Number.isInteger(axis) && axis >= -x.ndim - 1 && axis <= x.ndim) return axis < 0 ? axis + x.ndim + 1 : axis;
  throw new TensorTypeError(
    `${opName}: the new axis of ${describe(x)} cannot be ${shown(axis)}; give one from ${-x.ndim - 1} to ${x.ndim}`,
  );
}
