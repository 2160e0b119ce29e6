import { dtypeBytes } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { toDense, type DenseArray } from '../arrays/dense-array.js';
import type { Apply } from './apply.js';
import { Constant } from './constant.js';
import type { InnerGraph } from './inner.js';
import { describe, type Variable } from './variable.js';
import { graphInputs, toposort } from './walk.js';

/** Is told of each application that was computed, and of what its results take. */
export type OpObserver = (node: Apply, timeMs: number, outputBytes: number) => void;

/**
 * Computes the outputs of a graph from values for its inputs.
 *
 * @param observe Told of the applications of the graph, not of those inside of inner graphs. Default: nobody is.
 */
export type Evaluation = (values: readonly DenseArray[], observe?: OpObserver) => DenseArray[];

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
    return (values, observe) => {
      const known = new Map(constants);
      for (const [position, input] of graph.inputs.entries()) known.set(input, at(values, position));
      const valueOf = (variable: Variable): DenseArray => {
        const value = known.get(variable);
        if (value === undefined) throw new Error(`${describe(variable)} has no value`);
        return value;
      };
      for (const node of order) {
        const before = performance.now();
        const results = node.op.run(node.inputs.map(valueOf), node, evaluate);
        observe?.(node, performance.now() - before, bytesOf(results));
        for (const [position, output] of node.outputs.entries()) {
          if (!known.has(output)) known.set(output, rounded(at(results, position)));
        }
      }
      return graph.outputs.map(valueOf);
    };
  };
  return evaluate;
}

/** What values take in their own dtypes. */
function bytesOf(values: readonly DenseArray[]): number {
  return values.reduce((bytes, { dtype, data }) => bytes + data.length * dtypeBytes(dtype), 0);
}
