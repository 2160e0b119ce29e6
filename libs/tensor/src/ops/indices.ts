import { at } from '../arrays/at.js';
import { offsets, stridesOf, type DenseArray } from '../arrays/dense-array.js';
import type { Apply } from '../graph/apply.js';
import { commonShape, formatShape, isFloat, shapeFits, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { cast } from './cast.js';

/** Indices of x as int64; throws where they are floats or bools. */
export function integerIndices(opName: string, x: Variable, indices: Variable): Variable {
  if (!isFloat(indices.dtype) && indices.dtype !== 'bool') return cast(indices, 'int64');
  throw new TensorTypeError(
    `${opName}: ${describe(x)} is indexed by ${describe(indices)}; give integers, or cast them`,
  );
}

/** The positions that indices of an axis of `size` point at, negative ones counting from the end. */
export function pointedAt(node: Apply, indices: Float64Array, size: number): Float64Array {
  return indices.map((index) => {
    if (index >= -size && index < size) return index < 0 ? index + size : index;
    throw new RangeError(`${node.op.name}: index ${index} is out of range; the axis has ${size} elements`);
  });
}

/** The shape of indices along one axis of x, which have its other axes; throws where they have not. */
export function checkAlongAxis(opName: string, x: Variable, indices: Variable, axis: number): Dim[] {
  const shape = commonShape(indices.shape, x.shape.with(axis, indices.shape[axis] ?? null));
  if (shape !== undefined) return shape;
  throw new TensorTypeError(
    `${opName}: ${describe(indices)} does not index axis ${axis} of ${describe(x)}; it must have the same axes, equal in size but for that one`,
  );
}

/** The offsets in a row-major array of `shape` that indices along one of its axes point at. */
export function placesAlongAxis(node: Apply, shape: readonly number[], indices: DenseArray, axis: number): Int32Array {
  if (!shapeFits(indices.shape, shape.with(axis, at(indices.shape, axis)))) {
    throw new TensorTypeError(
      `${node.op.name}: ${describe(at(node.inputs, 1))} of size ${formatShape(indices.shape)} does not index axis ${axis} of an array of size ${formatShape(shape)}`,
    );
  }
  const strides = stridesOf(shape);
  const points = pointedAt(node, indices.data, at(shape, axis));
  return offsets(indices.shape, strides.with(axis, 0)).map(
    (offset, position) => offset + at(points, position) * at(strides, axis),
  );
}
