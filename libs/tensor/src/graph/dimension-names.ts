import { tagKey } from './tag.js';
import type { Dim } from './tensor-type.js';
import type { Variable } from './variable.js';

/**
 * A size, null for one that only the data tell, or a name for such a one: sizes of the inputs of a function that have the same name
 * must be equal.
 */
export type NamedDim = Dim | string;

/** Notes which of the sizes of `variable` have a name. */
export function nameDimensions(variable: Variable, shape: readonly NamedDim[]): void {
  const names = shape.map((dim) => (typeof dim === 'string' ? dim : null));
  if (names.includes(''))
    throw new Error(`A dimension of ${variable.toString()} has an empty name; give null for none`);
  if (names.some((name) => name !== null)) variable.tag.set(NAMES, names);
}

/** The axes of `variable` by the name of their size. */
export function namedAxes(variable: Variable): readonly { readonly name: string; readonly axis: number }[] {
  const names = variable.tag.get(NAMES) ?? [];
  return names.flatMap((name, axis) => (name === null ? [] : [{ name, axis }]));
}

const NAMES = tagKey<readonly (string | null)[]>('dimension names');
