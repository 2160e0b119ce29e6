import { at } from '../arrays/at.js';
import { toDense, type DenseArray } from '../arrays/dense-array.js';
import { Constant } from './constant.js';
import type { InnerGraph } from './inner.js';
import { describe, type Variable } from './variable.js';
import { graphInputs, toposort } from './walk.js';

/** Computes the outputs of a graph from values for its inputs. */
export type Evaluation = (values: readonly DenseArray[]) => DenseArray[];

/** Prepares a graph to be computed, any number of times. */
export type Evaluator = (graph: InnerGraph) => Evaluation;

/**
 * An evaluator that computes each application by its op's own `run`.
 *
 * @param rounded is given the result of every op, inside of inner graphs too, and returns what goes on in its place.
 */
export function evaluator(rounded: (value: DenseArray) => DenseArray = (value) => value): Evaluator {
  const evaluate: Evaluator = (graph) => {
    const order = toposort(graph.outputs, { blockers: graph.inputs });
    const constants = new Map<Variable, DenseArray>();
    for (const variable of graphInputs(graph.outputs, { blockers: graph.inputs })) {
      if (variable instanceof Constant) constants.set(variable, toDense(variable.value));
    }
    return (values) => {
      const known = new Map(constants);
      for (const [position, input] of graph.inputs.entries()) known.set(input, at(values, position));
      const valueOf = (variable: Variable): DenseArray => {
        const value = known.get(variable);
        if (value === undefined) throw new Error(`${describe(variable)} has no value`);
        return value;
      };
      for (const node of order) {
        const results = node.op.run(node.inputs.map(valueOf), node, evaluate);
        for (const [position, output] of node.outputs.entries()) {
          if (!known.has(output)) known.set(output, rounded(at(results, position)));
        }
      }
      return graph.outputs.map(valueOf);
    };
  };
  return evaluate;
}
