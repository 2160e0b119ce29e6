import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../../arrays/at.js';
import type { Apply } from '../../../graph/apply.js';
import type { InnerGraph } from '../../../graph/inner.js';
import { branchesOf } from '../../../ops/if-else.js';
import { scanInputs, type ScanParameters } from '../../../ops/scan-inputs.js';
import type { TensorFlow } from '../device.js';
import { heldAs } from '../device-dtype.js';
import { moves, type TfjsLowerings } from './lowering.js';

export const controlFlow = {
  ifElse: moves((_tf, inputs, { node, inside }) => {
    const inner = innerOf(node);
    const { ifTrue, ifFalse } = branchesOf(inner.outputs);
    const outputs = at(at(inputs, 0).dataSync(), 0) === 0 ? ifFalse : ifTrue;
    return inside({ inputs: inner.inputs, outputs })(inputs.slice(1));
  }),
  scan: moves((tf, inputs, { node, parameters, inside }) => {
    const step = inside(innerOf(node));
    return runSteps(tf, (values) => tf.tidy(() => step(values)), inputs, node, parameters);
  }),
} satisfies Partial<TfjsLowerings>;

function innerOf(node: Apply): InnerGraph {
  const { inner } = node.op;
  if (inner === undefined) throw new Error(`${node.op.name}: the op has no inner graph to compute`);
  return inner;
}

function runSteps(
  tf: TensorFlow,
  step: (values: readonly Tensor[]) => Tensor[],
  inputs: readonly Tensor[],
  node: Apply,
  { backwardInputs, backwardOutputs, ...rest }: ScanParameters,
): Tensor[] {
  const count = at(at(inputs, 0).dataSync(), 0);
  const given = scanInputs(inputs.slice(1), { backwardInputs, backwardOutputs, ...rest });
  const wrong = given.sequences.find(({ shape }) => shape[0] !== count);
  if (wrong !== undefined)
    throw new RangeError(`${count} steps cannot be made over a sequence of ${wrong.shape[0]} rows`);
  const collected: Tensor[][] = backwardOutputs.map(() => []);
  const kept = new Set<Tensor>(inputs);
  let { states } = given;
  for (let index = 0; index < count; index += 1) {
    const rows = given.sequences.map((sequence, position) =>
      rowOf(tf, sequence, at(backwardInputs, position) ? count - 1 - index : index),
    );
    const results = step([...rows, ...states, ...given.constants]);
    for (const [position, list] of collected.entries()) {
      const row = at(results, states.length + position);
      kept.add(row);
      list.push(row);
    }
    // Only what is collected is kept from step to step: sums of gradients are as large as parameters.
    const next = results.slice(0, states.length);
    for (const old of [...states, ...rows]) if (!kept.has(old) && !next.includes(old)) old.dispose();
    states = next;
  }
  const collectedTypes = node.outputs.slice(states.length);
  return [
    ...states,
    ...collected.map((list, position) => {
      if (list.length > 0) return tf.stack(at(backwardOutputs, position) ? list.toReversed() : list);
      const { dtype, shape } = at(collectedTypes, position);
      const sizes = shape.slice(1).includes(null) ? at(zeroStep(), position) : shape.slice(1).map(Number);
      return tf.tensor([], [0, ...sizes], heldAs(dtype));
    }),
  ];

  // Without steps, only a step over zeros tells the sizes that the types do not.
  function zeroStep(): number[][] {
    const rows = given.sequences.map(({ shape, dtype }) => tf.zeros(shape.slice(1), dtype));
    return step([...rows, ...states, ...given.constants])
      .slice(states.length)
      .map(({ shape }) => shape);
  }
}

function rowOf(tf: TensorFlow, sequence: Tensor, index: number): Tensor {
  const start = sequence.shape.map((_, axis) => (axis === 0 ? index : 0));
  return tf.reshape(tf.slice(sequence, start, [1, ...sequence.shape.slice(1)]), sequence.shape.slice(1));
}
