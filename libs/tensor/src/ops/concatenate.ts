import { applyOp } from '../graph/apply.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import { formatShape, promote, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { dense, offsets, stridesOf } from '../engine/reference/dense-array.js';
import { add } from './add.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { Constant, constant } from '../graph/constant.js';
import { dimension } from './dimension.js';
import { slice } from './slice.js';

/** Joins variables along one axis, 0 by default; the other axes must agree. */
export function concatenate(parts: readonly Variable[], axis = 0): Variable {
  const [first] = parts;
  if (first === undefined) throw new TensorTypeError('concatenate: no variables were given; give at least one');
  const dtype = parts.map((part) => part.dtype).reduce(promote);
  return applyOp(
    concatenateOp(normalizeAxis('concatenate', first, axis)),
    parts.map((part) => cast(part, dtype)),
  );
}

/** The op of {@link concatenate}. */
export function concatenateOp(axis: number): Op {
  return {
    name: 'concatenate',
    parameters: { axis },
    inferTypes(inputs) {
      const first = inputAt(inputs, 0);
      const shape = joinedShape(
        inputs.map((input) => input.shape),
        axis,
      );
      if (shape === undefined) {
        throw new TensorTypeError(
          `concatenate: ${inputs.map(describe).join(', ')} do not agree in the axes other than ${axis}; they must`,
        );
      }
      return [{ dtype: first.dtype, shape }];
    },
    grad(node, outputGradients) {
      const gradient = onlyGradient(node, outputGradients);
      let start: Variable = constant(0, 'int64');
      return node.inputs.map((input) => {
        const stop = sumOfSizes(start, dimension(input, axis));
        const part = slice(gradient, start, stop, { axis });
        start = stop;
        return part;
      });
    },
    onnx: (graph, inputs) => [graph.add('Concat', inputs, { axis: { int: axis } })],
    run(inputs, node) {
      const shape = joinedShape(
        inputs.map((input) => input.shape),
        axis,
      )?.map(Number);
      if (shape === undefined) {
        const sizes = inputs.map((input) => formatShape(input.shape)).join(', ');
        throw new TensorTypeError(
          `concatenate: ${node.inputs.map(describe).join(', ')} of sizes ${sizes} do not agree`,
        );
      }
      const result = dense(node.output.dtype, shape);
      const strides = stridesOf(shape);
      let start = 0;
      for (const input of inputs) {
        const writes = offsets(input.shape, strides, start * (strides[axis] ?? 0));
        for (const [at, offset] of writes.entries()) result.data[offset] = input.data[at] ?? Number.NaN;
        start += input.shape[axis] ?? 0;
      }
      return [result];
    },
  };
}

function sumOfSizes(a: Variable, b: Variable): Variable {
  return a instanceof Constant && b instanceof Constant
    ? constant(Number(a.value.data[0]) + Number(b.value.data[0]), 'int64')
    : add(a, b);
}

function joinedShape(shapes: readonly (readonly Dim[])[], axis: number): Dim[] | undefined {
  const [first, ...rest] = shapes;
  if (first === undefined) return undefined;
  const joined = [...first];
  for (const shape of rest) {
    if (shape.length !== joined.length) return undefined;
    for (const [at, dim] of shape.entries()) {
      const sofar = joined[at] ?? null;
      if (at === axis) joined[at] = sofar === null || dim === null ? null : sofar + dim;
      else if (sofar === null) joined[at] = dim;
      else if (dim !== null && dim !== sofar) return undefined;
    }
  }
  return joined;
}
