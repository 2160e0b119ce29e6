import { sizeOf } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense, type DenseArray } from '../arrays/dense-array.js';
import { evaluator } from '../graph/evaluate.js';
import { madeBy, type InnerGraph } from '../graph/op.js';
import { innerTypes } from '../graph/inner-types.js';
import {
  commonShape,
  commonSize,
  formatShape,
  isAllKnown,
  isKnown,
  TensorTypeError,
  type Dim,
  type TensorType,
} from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { scanGradients } from './scan-gradients.js';
import { scanInputs, type MakeScan, type ScanParameters } from './scan-inputs.js';
import { toldSize } from './told-size.js';

const makeScan: MakeScan = (inner, parameters) =>
  madeBy(makeScan, {
    name: 'scan',
    parameters,
    inner: {
      ...inner,
      opOf: (graph) => makeScan(graph, parameters),
      feedback: Array.from({ length: parameters.states }, (_, state) => ({
        output: state,
        input: parameters.backwardInputs.length + state,
      })),
    },
    inferTypes: (inputs) => inferTypes(inner, parameters, inputs),
    grad: (node, outputGradients) => scanGradients({ node, inner, parameters, makeScan }, outputGradients),
    run: (inputs, node, evaluate = evaluator()) =>
      runSteps(
        evaluate(inner),
        inputs,
        node.outputs.map(({ type }) => type),
        parameters,
      ),
  });

/**
 * The op of `scan`: applies the inner graph once a step.
 *
 * Inputs: the number of steps, an int64 scalar; the sequences, each with a row for every step; the first states; what is the same in all
 * steps. The inner graph takes a row of each sequence, the states and what is the same; it gives the states after the step and what
 * is collected. Outputs: the last states, and what was collected, with a row for every step.
 */
export const scanOp = Object.assign(makeScan, { opName: 'scan' as const });

function inferTypes(inner: InnerGraph, parameters: ScanParameters, inputs: readonly Variable[]): readonly TensorType[] {
  const [steps, ...rest] = inputs;
  if (steps?.dtype !== 'int64' || steps.ndim !== 0 || rest.length !== inner.inputs.length) {
    throw new TensorTypeError(
      `scan: takes the number of steps, an int64 scalar, and ${inner.inputs.length} variables but was given ${inputs.map(describe).join(', ')}`,
    );
  }
  const { sequences, states } = scanInputs(rest, parameters);
  const count = stepCount(steps, sequences);
  const given = rest.map(({ dtype, shape }, position) => ({
    dtype,
    shape: position < sequences.length ? shape.slice(1) : shape,
  }));
  const results = innerTypes('scan', inner, given);
  return results.map((type, position): TensorType => {
    const state = states[position];
    if (state === undefined) return { dtype: type.dtype, shape: [count, ...type.shape] };
    return sameState(state, type);
  });
}

function stepCount(steps: Variable, sequences: readonly Variable[]): Dim {
  let count = toldSize(steps);
  for (const sequence of sequences) {
    const [rows = null] = sequence.shape;
    const both = commonSize(count, rows);
    if (both === undefined) {
      throw new TensorTypeError(
        `scan: the sequence ${describe(sequence)} has ${rows} rows but there are ${count} steps; give sequences of one length`,
      );
    }
    count = both;
  }
  return count;
}

/** A size of which a step does not say that it stays is not known after all of them, whatever it was called before. */
function sameState(before: Variable, after: TensorType): TensorType {
  const shape = commonShape(before.shape, after.shape);
  if (shape !== undefined && before.dtype === after.dtype) {
    const isKept = (dim: Dim, axis: number): boolean =>
      isKnown(dim) || (dim === before.shape[axis] && dim === after.shape[axis]);
    return { dtype: after.dtype, shape: shape.map((dim, axis) => (isKept(dim, axis) ? dim : null)) };
  }
  throw new TensorTypeError(
    `scan: the state that starts as ${describe(before)} is ${after.dtype} ${formatShape(after.shape)} after a step; a state must keep its dtype and shape`,
  );
}

function runSteps(
  step: (values: readonly DenseArray[]) => DenseArray[],
  inputs: readonly DenseArray[],
  types: readonly TensorType[],
  parameters: ScanParameters,
): DenseArray[] {
  const count = at(at(inputs, 0).data, 0);
  const { sequences, states: first, constants } = scanInputs(inputs.slice(1), parameters);
  const wrong = sequences.find(({ shape }) => shape[0] !== count);
  if (count < 0 || wrong !== undefined) {
    throw new RangeError(
      `scan: ${count} steps cannot be made over a sequence of ${wrong?.shape[0] ?? 'any number of'} rows`,
    );
  }
  const { backwardInputs, backwardOutputs } = parameters;
  let states = first;
  const collected: DenseArray[][] = backwardOutputs.map(() => []);
  const stepAt = (index: number): DenseArray[] => {
    const rows = sequences.map((sequence, position) =>
      rowOf(sequence, at(backwardInputs, position) ? count - 1 - index : index),
    );
    return step([...rows, ...states, ...constants]);
  };
  for (let index = 0; index < count; index += 1) {
    const results = stepAt(index);
    for (const [position, rows] of collected.entries()) rows.push(at(results, states.length + position));
    states = results.slice(0, states.length);
  }
  return [
    ...states,
    ...collected.map((rows, position) => {
      const type = at(types, states.length + position);
      const told = type.shape.slice(1);
      const sizes = rows[0]?.shape ?? (isAllKnown(told) ? told : at(zeroStep(), position));
      return stacked(at(backwardOutputs, position) ? rows.toReversed() : rows, type, sizes);
    }),
  ];

  // Without steps, only a step over zeros tells the sizes that the types do not.
  function zeroStep(): (readonly number[])[] {
    const rows = sequences.map(({ dtype, shape }) => dense(dtype, shape.slice(1)));
    return step([...rows, ...states, ...constants])
      .slice(states.length)
      .map(({ shape }) => shape);
  }
}

function rowOf({ dtype, shape, data }: DenseArray, index: number): DenseArray {
  const sizes = shape.slice(1);
  const size = sizeOf(sizes);
  return dense(dtype, sizes, data.subarray(index * size, (index + 1) * size));
}

function stacked(rows: readonly DenseArray[], { dtype }: TensorType, sizes: readonly number[]): DenseArray {
  const result = dense(dtype, [rows.length, ...sizes]);
  for (const [index, row] of rows.entries()) {
    if (formatShape(row.shape) !== formatShape(sizes)) {
      throw new RangeError(
        `scan: a step gave ${formatShape(row.shape)} and another ${formatShape(sizes)}; the shape must stay the same`,
      );
    }
    result.data.set(row.data, index * row.data.length);
  }
  return result;
}
