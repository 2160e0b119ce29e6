import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../../arrays/at.js';
import { scanInputs, type ScanParameters } from '../../../ops/scan-inputs.js';
import type { TensorFlow } from '../device.js';
import { heldAs } from '../device-dtype.js';
import { moves, type Lower, type TfjsLowerings } from './lowering.js';
import { isAllKnown } from '../../../graph/tensor-type.js';

const scan: Lower<ScanParameters> = (tf, inputs, { node, parameters, integers, runInner }) => {
  const count = at(integers, 0);
  const { sequences, states: first, constants } = scanInputs(inputs, parameters);
  const wrong = sequences.find(({ shape }) => shape[0] !== count);
  if (count < 0 || wrong !== undefined) {
    throw new RangeError(`${count} steps cannot be made over a sequence of ${wrong?.shape[0] ?? 'any number of'} rows`);
  }
  let states = first;
  const collected: Tensor[][] = parameters.backwardOutputs.map(() => []);
  for (let index = 0; index < count; index += 1) {
    const rows = sequences.map((sequence, position) =>
      rowOf(tf, sequence, at(parameters.backwardInputs, position) ? count - 1 - index : index),
    );
    const results = runInner([...rows, ...states, ...constants]);
    for (const row of rows) row.dispose();
    if (index > 0) for (const state of states) state.dispose();
    states = results.slice(0, first.length);
    for (const [position, list] of collected.entries()) list.push(at(results, first.length + position));
  }
  const noRow = (position: number): readonly number[] => {
    const sizes = at(node.outputs, first.length + position).shape.slice(1);
    if (isAllKnown(sizes)) return sizes;
    // Without steps, only a step over zeros tells the sizes that the types do not.
    const zeros = sequences.map((sequence) => tf.zeros(sequence.shape.slice(1), sequence.dtype));
    return at(runInner([...zeros, ...first, ...constants]), first.length + position).shape;
  };
  return [
    ...states,
    ...collected.map((rows, position) => {
      if (rows.length > 0) return tf.stack(at(parameters.backwardOutputs, position) ? rows.toReversed() : rows);
      return tf.zeros([0, ...noRow(position)], heldAs(at(node.outputs, first.length + position).dtype));
    }),
  ];
};

export const controlFlow = {
  // By the host, which computes the one branch alone.
  ifElse: 'host',
  // One step for each element, which are too small to be worth a call each.
  recurrence: 'host',
  // What an inner graph has that TensorFlow.js has not, the host runs with all of the scan.
  scan: moves(scan, { isLeft: true, readsInteger: (position) => position === 0 }),
} satisfies Partial<TfjsLowerings>;

function rowOf(tf: TensorFlow, sequence: Tensor, index: number): Tensor {
  const sizes = sequence.shape.slice(1);
  return tf.tidy(() => tf.reshape(tf.slice(sequence, [index, ...sizes.map(() => 0)], [1, ...sizes]), sizes));
}
