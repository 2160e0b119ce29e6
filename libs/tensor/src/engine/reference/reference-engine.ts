import { evaluator } from '../../graph/evaluate.js';
import { fromDense, toDense, type DenseArray } from '../../arrays/dense-array.js';
import { toposort } from '../../graph/walk.js';
import type { Executable, FunctionGraph } from '../engine.js';
import { profileOnHost } from '../host-stage.js';
import type { Stage } from '../partition.js';
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
  const evaluate = evaluator(options.rounding === 'each op' ? roundToDtype : undefined)(graph);
  return {
    async run(inputs) {
      const values = await Promise.all(inputs.map(elementsOf));
      return evaluate(values.map(toDense)).map((value) => new HostValue(fromDense(value)));
    },
    async profile(inputs, runs) {
      const stage: Stage = { ...graph, on: 'host', nodes: toposort(graph.outputs, { blockers: graph.inputs }) };
      return await profileOnHost(graph.name, stage, inputs, runs, 'engine');
    },
    dispose: async () => undefined,
  };
}

function roundToDtype(value: DenseArray): DenseArray {
  return value.dtype === 'float32' ? { ...value, data: value.data.map(Math.fround) } : value;
}
