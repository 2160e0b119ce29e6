import type { NdArray } from '@longrun/serialization';

import { toDense } from '../../arrays/dense-array.js';
import { evaluator } from '../../graph/evaluate.js';
import type { FunctionGraph } from '../engine.js';

/** With more elements than these, or after that time, it is not looked for: the ops' own loops are slow. */
const MOST_ELEMENTS = 2 ** 20;
const MOST_MS = 3000;

/**
 * The error of a run that failed: that of the op which refuses the values, as the ops' own loops find it, where there are not too many;
 * else what ONNX Runtime says, whose words are of nodes that the program did not make.
 */
export function failureOf(graph: FunctionGraph, values: readonly NdArray[], failure: unknown): Error {
  const words = failure instanceof Error ? failure.message : String(failure);
  return refusal(graph, values) ?? new Error(`${graph.name}: ONNX Runtime failed: ${words}`, { cause: failure });
}

function refusal(graph: FunctionGraph, values: readonly NdArray[]): Error | undefined {
  if (values.reduce((count, { data }) => count + data.length, 0) > MOST_ELEMENTS) return undefined;
  const begun = performance.now();
  const late = new Error('It takes too long to find the op that failed');
  try {
    evaluator()(graph)(values.map(toDense), () => {
      if (performance.now() - begun > MOST_MS) throw late;
    });
    return undefined;
  } catch (error) {
    return error instanceof Error && error !== late ? error : undefined;
  }
}
