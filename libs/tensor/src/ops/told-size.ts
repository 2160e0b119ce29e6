import { at } from '../arrays/at.js';
import { Constant } from '../graph/constant.js';
import type { Dim } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';

/** What is known of a size that is an int64 scalar: of a constant its value, of the size of an axis what its type tells, else nothing. */
export function toldSize(size: Variable): Dim {
  if (size instanceof Constant) return size.toNumber() < 0 ? null : size.toNumber();
  const told = sizeTold(size);
  return told === undefined ? null : at(told.of.shape, told.axis);
}

/** The axis whose size a variable is, as `dimension` gives it, and of what; undefined where it is anything else. */
export function sizeTold({ owner }: Variable): { readonly of: Variable; readonly axis: number } | undefined {
  const axis = owner?.op.name === 'dimension' ? owner.op.parameters['axis'] : undefined;
  return typeof axis === 'number' ? { of: at(owner?.inputs ?? [], 0), axis } : undefined;
}

/** A shape of which some sizes are inputs, those after the first in order: what is known of each. */
export function toldSizes(inputs: readonly Variable[], sizes: readonly (number | 'input')[]): Dim[] {
  let next = 0;
  return sizes.map((size) => {
    if (size !== 'input') return size;
    next += 1;
    return toldSize(at(inputs, next));
  });
}
