import type { NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense, fromDense, toDense, type DenseArray } from '../arrays/dense-array.js';
import { evaluator } from '../graph/evaluate.js';
import type { Variable } from '../graph/variable.js';
import { KnownValues } from './known-values.js';
import { readsShapesOnly, type Stage } from './partition.js';
import { callsOf, type KernelCall, type OpObserver } from './profile.js';
import { elementsOf, HostValue, type StoredValue } from './stored-value.js';

/**
 * Runs the ops of a stage by their reference values, each result rounded to its dtype as an engine would: the values of the stage's
 * outputs from those of its inputs, in order. The results have one handle each, the caller's.
 *
 * @param observe is told of each op.
 */
export async function runOnHost(
  name: string,
  { inputs, nodes, outputs }: Stage,
  values: readonly (NdArray | StoredValue)[],
  observe?: OpObserver,
): Promise<HostValue[]> {
  // Elements that nobody looks at need not come from a device.
  const looked = new Set<Variable>(nodes.flatMap((node) => (readsShapesOnly(node) ? [] : node.inputs)));
  for (const output of outputs) looked.add(output);
  const fed = await Promise.all(
    inputs.map(async (input, position) => {
      const value = at(values, position);
      return looked.has(input) ? toDense(await elementsOf(value)) : shapeOf(value);
    }),
  );
  const known = new KnownValues(name, toDense);
  known.add(inputs, fed);
  for (const node of nodes) {
    const before = performance.now();
    const results = node.op.run(
      node.inputs.map((input) => known.of(input)),
      node,
      evaluateRounded,
    );
    const rounded = results.map(fromDense);
    observe?.(node, performance.now() - before, bytesOf(rounded));
    known.add(node.outputs, rounded.map(toDense));
  }
  return outputs.map((output) => new HostValue(fromDense(known.of(output))));
}

const evaluateRounded = evaluator((value) => toDense(fromDense(value)));

/** Runs a stage as {@link runOnHost} does, `runs` times after a first time that does not count, and tells what was called. */
export async function profileOnHost(
  name: string,
  stage: Stage,
  values: readonly (NdArray | StoredValue)[],
  runs: number,
  on: KernelCall['on'],
): Promise<KernelCall[]> {
  return await callsOf(runs, on, async (observe) => await runOnHost(name, stage, values, observe));
}

function bytesOf(arrays: readonly NdArray[]): number {
  return arrays.reduce((bytes, { data }) => bytes + data.byteLength, 0);
}

/** An array that is only asked for its shape. */
function shapeOf({ dtype, shape }: NdArray | StoredValue): DenseArray {
  return dense(dtype, shape, NO_ELEMENTS);
}

const NO_ELEMENTS = new Float64Array(0);
