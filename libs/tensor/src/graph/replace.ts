import { Apply } from './apply.js';
import { formatType, isAssignable, TensorTypeError } from './tensor-type.js';
import { describe, type Variable } from './variable.js';
import { toposort } from './walk.js';

/**
 * The same outputs with some variables replaced by others; Theano's `clone(replace=...)`.
 *
 * What does not depend on a replaced variable is shared with the old graph, so replacing nothing returns `outputs`. What does
 * is copied, with name and tag. The replacements themselves are taken as they are: `{x: add(x, noise)}` is not a loop.
 *
 * @throws TensorTypeError when a replacement's type does not fit the variable it stands in for.
 */
export function replace(outputs: readonly Variable[], replacements: ReadonlyMap<Variable, Variable>): Variable[] {
  for (const [old, replacement] of replacements) {
    if (isAssignable(replacement.type, old.type)) continue;
    throw new TensorTypeError(
      `replace: ${describe(replacement)} cannot stand in for ${describe(old)}; give a replacement of ${formatType(old.type)}`,
    );
  }
  return copyGraph(outputs, replacements, (node, inputs) => node.inputs.some((input, at) => input !== inputs[at]));
}

/** A copy of the graph down to its inputs, constants and shared variables, which are shared with the old one. */
export function clone(outputs: readonly Variable[]): Variable[] {
  return copyGraph(outputs, new Map(), () => true);
}

function copyGraph(
  outputs: readonly Variable[],
  replacements: ReadonlyMap<Variable, Variable>,
  mustCopy: (node: Apply, inputs: readonly Variable[]) => boolean,
): Variable[] {
  const copies = new Map(replacements);
  const copyOf = (variable: Variable): Variable => copies.get(variable) ?? variable;
  for (const node of toposort(outputs, { blockers: replacements.keys() })) {
    const inputs = node.inputs.map(copyOf);
    if (!mustCopy(node, inputs)) continue;
    const copy = new Apply(node.op, inputs);
    for (const [index, output] of node.outputs.entries()) {
      const twin = copy.outputs[index];
      if (twin === undefined || copies.has(output)) continue;
      twin.name = output.name;
      twin.tag.assign(output.tag);
      copies.set(output, twin);
    }
  }
  return outputs.map(copyOf);
}
