import type { NdArray } from '@longrun/serialization';

import { dense, fromDense, toDense, type DenseArray } from '../arrays/dense-array.js';
import { KnownValues } from './known-values.js';
import { readsShapesOnly, type Stage } from './partition.js';

/**
 * Runs the ops of a stage by their reference values, each result rounded to its dtype as an engine would: the values of the stage's
 * outputs from those of its inputs, in order.
 */
export function runOnHost(name: string, { inputs, nodes, outputs }: Stage, values: readonly NdArray[]): NdArray[] {
  const known = new KnownValues(name, inputs, values);
  for (const node of nodes) {
    const read = readsShapesOnly(node) ? shapeOf : toDense;
    const results = node.op.run(
      node.inputs.map((input) => read(known.of(input))),
      node,
    );
    known.add(node.outputs, results.map(fromDense));
  }
  return outputs.map((output) => known.of(output));
}

/** An array that is only asked for its shape. */
function shapeOf({ dtype, shape }: NdArray): DenseArray {
  return dense(dtype, shape, NO_ELEMENTS);
}

const NO_ELEMENTS = new Float64Array(0);
