import type { Variable } from '../graph/variable.js';
import { sum } from './sum.js';

/** Sums `gradient` over the axes along which `like` was broadcast, giving it the shape of `like`. */
export function unbroadcast(gradient: Variable, like: Variable): Variable {
  const extra = gradient.ndim - like.ndim;
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const trimmed = extra === 0 ? gradient : sum(gradient, { axis: leading });
  const stretched = like.shape.flatMap((dim, axis) => (dim === 1 && trimmed.shape[axis] !== 1 ? [axis] : []));
  return stretched.length === 0 ? trimmed : sum(trimmed, { axis: stretched, keepdims: true });
}
