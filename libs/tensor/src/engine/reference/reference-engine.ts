import type { NdArray } from '@longrun/serialization';

import { Constant } from '../../graph/constant.js';
import { describe, type Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import type { EngineOptions, Executable, FunctionGraph } from '../engine.js';
import { environment } from '../environment.js';
import { fromDense, toDense, type DenseArray } from '../../arrays/dense-array.js';

/**
 * Runs a graph op by op in plain loops. Floats are float64 from input to output, whatever their dtype: only results are rounded.
 * Slow, simple and the arbiter of the other engines. Always one thread.
 */
export async function compileReference(graph: FunctionGraph, _options: EngineOptions): Promise<Executable> {
  const order = toposort(graph.outputs, { blockers: graph.inputs });
  return {
    environment: environment('reference', 1),
    async run(values) {
      const known = new Map<Variable, DenseArray>();
      for (const [at, input] of graph.inputs.entries()) {
        const value = values[at];
        if (value !== undefined) known.set(input, toDense(value));
      }
      const valueOf = (variable: Variable): DenseArray => {
        const value = known.get(variable) ?? (variable instanceof Constant ? toDense(variable.value) : undefined);
        if (value === undefined) throw new Error(`${graph.name}: ${describe(variable)} has no value`);
        return value;
      };
      for (const node of order) {
        const results = node.op.run(node.inputs.map(valueOf), node);
        for (const [at, output] of node.outputs.entries()) {
          const result = results[at];
          if (result !== undefined && !known.has(output)) known.set(output, result);
        }
      }
      return graph.outputs.map((output): NdArray => fromDense(valueOf(output)));
    },
    dispose: async () => undefined,
  };
}
