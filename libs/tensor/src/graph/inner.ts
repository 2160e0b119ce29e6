import { applyAgain } from './apply.js';
import { Constant } from './constant.js';
import type { InnerGraph } from './op.js';
import { Variable } from './variable.js';
import { dependants, toposort } from './walk.js';

/** A graph closed by {@link closeOver}. */
export interface ClosedGraph {
  readonly graph: InnerGraph;
  /** The variables of the graph around it that it uses, one for each input that was added. */
  readonly captured: readonly Variable[];
}

/**
 * Closes a graph whose outputs use variables other than `inputs`: each of them gets an input of its own, of the same type and name.
 * What depends on none of the inputs is outside as a whole, so that it is computed once and not in every step.
 *
 * @param isOutside says which of the variables that depend on none of the inputs are outside. Default: all of them.
 */
export function closeOver(
  graph: InnerGraph,
  isOutside: (variable: Variable) => boolean = (variable) => !(variable instanceof Constant),
): ClosedGraph {
  const order = toposort(graph.outputs, { blockers: graph.inputs });
  const given = new Set(graph.inputs);
  const inside = dependants(order, (variable) => given.has(variable));
  const standIns = new Map<Variable, Variable>();
  const captured: Variable[] = [];
  const standIn = (variable: Variable): Variable => {
    const known = standIns.get(variable);
    if (known !== undefined) return known;
    if (given.has(variable) || inside.has(variable) || !isOutside(variable)) return variable;
    // The tag stays with the variable itself: who looks for a role inside too is not to find it twice.
    const input = new Variable(variable.type, variable.name === undefined ? {} : { name: variable.name });
    standIns.set(variable, input);
    captured.push(variable);
    return input;
  };
  for (const node of order) {
    if (node.outputs.every((output) => !inside.has(output) && isOutside(output))) continue;
    const inputs = node.inputs.map(standIn);
    const copy = applyAgain(node, inputs);
    if (copy === node) continue;
    for (const [at, output] of node.outputs.entries()) standIns.set(output, copy.outputAt(at));
  }
  const outputs = graph.outputs.map(standIn);
  return { graph: { inputs: [...graph.inputs, ...captured.map(standIn)], outputs }, captured };
}
