import { at } from '../arrays/at.js';
import type { InnerGraph } from './op.js';
import { rebuild } from './rebuild.js';
import { formatType, isAssignable, isKnown, TensorTypeError, type TensorType } from './tensor-type.js';
import { describe, Variable } from './variable.js';

/**
 * The types of what an inner graph gives for inputs of the types `given`, which may know more sizes than its own. The names of others
 * are those given.
 *
 * @throws TensorTypeError, beginning with `who`, where they do not fit it.
 */
export function innerTypes(who: string, inner: InnerGraph, given: readonly TensorType[]): readonly TensorType[] {
  const exact = new Map<Variable, Variable>();
  for (const [position, input] of inner.inputs.entries()) {
    const type = withSizesOf(input, at(given, position));
    if (formatType(type) === formatType(input.type)) continue;
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

/** `type` with the sizes that `input` knows and it does not. */
function withSizesOf(input: Variable, { dtype, shape }: TensorType): TensorType {
  return { dtype, shape: shape.map((dim, axis) => [dim, input.shape[axis]].find(isKnown) ?? dim) };
}
