import { at } from '../arrays/at.js';
import type { InnerGraph } from './op.js';
import { rebuild } from './rebuild.js';
import { isAssignable, TensorTypeError, type TensorType } from './tensor-type.js';
import { describe, Variable } from './variable.js';

/**
 * The types of what an inner graph gives for inputs of the types `given`, which may know more sizes than its own.
 *
 * @throws TensorTypeError, beginning with `who`, where they do not fit it.
 */
export function innerTypes(who: string, inner: InnerGraph, given: readonly TensorType[]): readonly TensorType[] {
  const exact = new Map<Variable, Variable>();
  for (const [position, input] of inner.inputs.entries()) {
    const type = at(given, position);
    if (isAssignable(input.type, type)) continue;
    const standIn = new Variable(type, { name: input.toString() });
    if (!isAssignable(type, input.type)) {
      throw new TensorTypeError(
        `${who}: ${describe(standIn)} is not of the type of ${describe(input)}, for which it stands`,
      );
    }
    exact.set(input, standIn);
  }
  const { outputs } = rebuild(inner.outputs, () => undefined, { replacements: exact });
  return outputs.map(({ type }) => type);
}
