import { dtypeBytes } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { toDense, type DenseArray } from '../arrays/dense-array.js';
import { Constant } from './constant.js';
import type { Evaluator } from './op.js';
import { describe, type Variable } from './variable.js';
import { graphInputs, toposort } from './walk.js';

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
