import { add, broadcastTo, cast, dimshuffle, mul, sub, type SharedVariable, type Variable } from '@longrun/tensor';

/**
 * What a step leaves of a state `(batch, dim)`: `next` where the mask `(batch)` is 1, `previous` where it is 0, and what is between them between.
 * Without a mask, `next`.
 */
export function masked(next: Variable, previous: Variable, mask: Variable | undefined): Variable {
  if (mask === undefined) return next;
  const weight = dimshuffle(cast(mask, next.dtype), [0, 'x']);
  return add(mul(weight, next), mul(sub(1, weight), previous));
}

/** `(batch, dim)` of an initial state `(dim)`. */
export function repeated(initial: SharedVariable, batchSize: number | Variable): Variable {
  return broadcastTo(initial, [batchSize, ...initial.valueType.shape]);
}
