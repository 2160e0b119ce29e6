import { sizeOf, type NdArray } from '@longrun/serialization';

import { toDense } from '../../arrays/dense-array.js';
import { evaluator } from '../../graph/evaluate.js';
import { isAllKnown, type Dim } from '../../graph/tensor-type.js';
import type { Variable } from '../../graph/variable.js';
import { toposort } from '../../graph/walk.js';
import type { FunctionGraph } from '../engine.js';
import { typesWith } from '../types-with.js';

/**
 * With more elements than these to read, or to compute, or after that time, it is not looked for: the ops' own loops are slow, hold all in
 * float64, and let nothing else happen in the process.
 */
const MOST_ELEMENTS = 2 ** 20;
const MOST_COMPUTED = 2 ** 23;
const MOST_MS = 3000;

/**
 * The error of a run that failed: that of the op which refuses the values, as the ops' own loops find it, where there are not too many, with
 * what ONNX Runtime says as its cause; else what ONNX Runtime says, whose words are of nodes that the program did not make.
 */
export function failureOf(graph: FunctionGraph, values: readonly NdArray[], failure: unknown): Error {
  const words = failure instanceof Error ? failure.message : String(failure);
  const refused = refusal(graph, values);
  if (refused === undefined) return new Error(`${graph.name}: ONNX Runtime failed: ${words}`, { cause: failure });
  refused.cause ??= failure;
  return refused;
}

function refusal(graph: FunctionGraph, values: readonly NdArray[]): Error | undefined {
  if (values.reduce((count, { data }) => count + data.length, 0) > MOST_ELEMENTS) return undefined;
  if (elementsComputed(graph, values) > MOST_COMPUTED) return undefined;
  const begun = performance.now();
  const late = new Error('It takes too long to find the op that failed');
  // Of each result, those inside of scans too.
  const evaluate = evaluator((value) => {
    if (performance.now() - begun > MOST_MS) throw late;
    return value;
  });
  try {
    evaluate(graph)(values.map(toDense));
    return undefined;
  } catch (error) {
    return error instanceof Error && error !== late ? error : undefined;
  }
}

/** How many elements the ops give before the first that refuses its sizes, of those that the sizes of the inputs tell. */
function elementsComputed({ inputs, outputs }: FunctionGraph, values: readonly NdArray[]): number {
  const shapes = new Map<Variable, readonly Dim[]>();
  for (const [position, input] of inputs.entries()) shapes.set(input, values[position]?.shape ?? input.shape);
  let count = 0;
  for (const node of toposort(outputs, { blockers: inputs })) {
    const types = typesWith(node, (variable) => shapes.get(variable) ?? variable.shape);
    if (types === undefined) return count;
    for (const [position, { shape }] of types.entries()) {
      const output = node.outputs[position];
      if (output !== undefined) shapes.set(output, shape);
      if (isAllKnown(shape)) count += sizeOf(shape);
    }
  }
  return count;
}
