import { at } from '../arrays/at.js';
import { dense, offsets, stridesOf } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { constant } from '../graph/constant.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { commonSize, formatShape, isKnown, promote, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { dimension, sumOfSizes } from './dimension.js';
import { slice } from './slice.js';

/** Joins variables along one axis, 0 by default; the other axes must agree. */
export function concatenate(parts: readonly Variable[], axis = 0): Variable {
  checkArguments('concatenate', ['parts', parts, 'variables']);
  const [first] = parts;
  if (first === undefined) throw new TensorTypeError('concatenate: no variables were given; give at least one');
  const dtype = parts.map((part) => part.dtype).reduce(promote);
  return applyOp(
    concatenateOp({ axis: normalizeAxis('concatenate', first, axis) }),
    parts.map((part) => cast(part, dtype)),
  );
}

/** The op of {@link concatenate}. */
export const concatenateOp = defineOp({
  name: 'concatenate',
  inferTypes(inputs, { axis }: { readonly axis: number }) {
    const shape = joinedShape(
      inputs.map((input) => input.shape),
      axis,
    );
    if (shape === undefined) {
      throw new TensorTypeError(
        `concatenate: ${inputs.map(describe).join(', ')} do not agree in the axes other than ${axis}; they must`,
      );
    }
    return [{ dtype: at(inputs, 0).dtype, shape }];
  },
  grad(node, outputGradients, { axis }) {
    const gradient = onlyGradient(node, outputGradients);
    let start: Variable = constant(0, 'int64');
    return node.inputs.map((input) => {
      const stop = sumOfSizes(start, dimension(input, axis));
      const part = slice(gradient, start, stop, { axis });
      start = stop;
      return part;
    });
  },
  run(inputs, node, { axis }) {
    const shape = joinedShape(
      inputs.map((input) => input.shape),
      axis,
    )?.map(Number);
    if (shape === undefined) {
      const sizes = inputs.map((input) => formatShape(input.shape)).join(', ');
      throw new TensorTypeError(`concatenate: ${node.inputs.map(describe).join(', ')} of sizes ${sizes} do not agree`);
    }
    const result = dense(node.output.dtype, shape);
    const strides = stridesOf(shape);
    let start = 0;
    for (const input of inputs) {
      const writes = offsets(input.shape, strides, start * at(strides, axis));
      for (const [position, offset] of writes.entries()) result.data[offset] = at(input.data, position);
      start += at(input.shape, axis);
    }
    return [result];
  },
});

function joinedShape(shapes: readonly (readonly Dim[])[], axis: number): Dim[] | undefined {
  const [first, ...rest] = shapes;
  if (first === undefined) return undefined;
  const joined = [...first];
  for (const shape of rest) {
    if (shape.length !== joined.length) return undefined;
    for (const [position, dim] of shape.entries()) {
      const sofar = at(joined, position);
      const size = position === axis ? added(sofar, dim) : commonSize(sofar, dim);
      if (size === undefined) return undefined;
      joined[position] = size;
    }
  }
  return joined;
}

function added(first: Dim, second: Dim): Dim {
  return isKnown(first) && isKnown(second) ? first + second : null;
}
