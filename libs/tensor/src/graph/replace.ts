import { Apply } from './apply.js';
import { checkArguments } from './arguments.js';
import { cannotStandIn, rebuild, Rebuilding, type Rebuilt } from './rebuild.js';
import { isAssignable } from './tensor-type.js';
import type { Variable } from './variable.js';
import { ancestors, dependants } from './walk.js';

/**
 * The same outputs with some variables replaced by others, inside of inner graphs too; Theano's `clone(replace=...)`.
 *
 * What does not depend on a replaced variable is shared with the old graph, so replacing nothing returns `outputs`. What does
 * is copied, with name and tag. The replacements themselves are taken as they are: `{x: add(x, noise)}` is not a loop. Of sizes that
 * only the data tell, the names are those of the replacement, in all that is computed from it.
 *
 * @throws TensorTypeError when a replacement's type does not fit the variable it stands in for.
 */
export function replace(outputs: readonly Variable[], replacements: ReadonlyMap<Variable, Variable>): Variable[] {
  checkArguments('replace', ['outputs', outputs, 'variables'], ['replacements', replacements, 'map']);
  checkReplacements(replacements);
  if (replacements.size === 0) return [...outputs];
  return rebuild(outputs, () => undefined, { replacements }).outputs;
}

/**
 * As {@link replace}, one variable after the other in the order of the graph, each also in the replacements of those after it: the
 * replacement of a hidden layer is computed from the replaced layer below. In its own replacement a variable stands for itself.
 * Variables that `outputs` do not depend on are not replaced.
 *
 * @throws TensorTypeError when a replacement's type does not fit the variable it stands in for.
 */
export function replaceInOrder(outputs: readonly Variable[], replacements: ReadonlyMap<Variable, Variable>): Rebuilt {
  checkArguments('replaceInOrder', ['outputs', outputs, 'variables'], ['replacements', replacements, 'map']);
  checkReplacements(replacements);
  const rebuilding = new Rebuilding(() => undefined);
  const pending = new Set(replacements.keys());
  for (const variable of ancestors(outputs, { inside: true })) {
    const replacement = replacements.get(variable);
    if (replacement === undefined) continue;
    // First what it is by itself, which its own replacement may be computed from.
    rebuilding.extend([variable]);
    const visited = rebuilding.extend([replacement]);
    const result = rebuilding.standIn(replacement);
    // Elsewhere these are computed from what pending variables are replaced by.
    for (const dependant of dependants(visited, (one) => pending.has(one))) rebuilding.set(dependant, undefined);
    pending.delete(variable);
    rebuilding.set(variable, result);
  }
  rebuilding.extend(outputs);
  const standIn = (variable: Variable): Variable => rebuilding.standIn(variable);
  return { outputs: outputs.map(standIn), standIn };
}

/** A copy of the graph down to its inputs, constants and shared variables, which are shared with the old one. */
export function clone(outputs: readonly Variable[]): Variable[] {
  checkArguments('clone', ['outputs', outputs, 'variables']);
  return rebuild(outputs, (node, old) => (node === old ? new Apply(node.op, node.inputs).outputs : undefined)).outputs;
}

function checkReplacements(replacements: ReadonlyMap<Variable, Variable>): void {
  for (const [old, replacement] of replacements) {
    if (!isAssignable(replacement.type, old.type)) throw cannotStandIn('replace', replacement, old);
  }
}
