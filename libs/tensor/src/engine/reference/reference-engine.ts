import { Constant } from '../../graph/constant.js';
import { describe, type Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import { fromDense, toDense, type DenseArray } from '../../arrays/dense-array.js';
import type { Executable, FunctionGraph } from '../engine.js';
import { elementsOf, HostValue } from '../stored-value.js';

/** Options of the reference engine. */
export interface ReferenceOptions {
  /**
   * When floats are rounded to their dtype. 'results': the outputs only, everything before being float64, so that what comes out
   * is as exact as can be. 'each op': the result of every op, so that float32 overflows, vanishes and cancels where it does on
   * an engine that computes in it; what an op does inside stays float64. Default 'results'.
   */
  readonly rounding?: 'results' | 'each op';
}

/**
 * Runs a graph op by op in plain loops. Slow, simple and the arbiter of the other engines. Always one thread.
 */
export async function compileReference(graph: FunctionGraph, options: ReferenceOptions = {}): Promise<Executable> {
  const order = toposort(graph.outputs, { blockers: graph.inputs });
  const rounded = options.rounding === 'each op' ? roundToDtype : asItIs;
  return {
    async run(inputs) {
      const values = await Promise.all(inputs.map(elementsOf));
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
          if (result !== undefined && !known.has(output)) known.set(output, rounded(result));
        }
      }
      return graph.outputs.map((output) => new HostValue(fromDense(valueOf(output))));
    },
    dispose: async () => undefined,
  };
}

function asItIs(value: DenseArray): DenseArray {
  return value;
}

function roundToDtype(value: DenseArray): DenseArray {
  return value.dtype === 'float32' ? { ...value, data: value.data.map(Math.fround) } : value;
}
