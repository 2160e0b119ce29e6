import { at } from '../arrays/at.js';
import type { DenseArray } from '../arrays/dense-array.js';
import { isFloat, TensorTypeError, type TensorType } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';

/** The output types of a float op that works along the last axis and keeps the shape. */
export function lastAxisTypes(opName: string, x: Variable): readonly TensorType[] {
  if (x.ndim === 0 || !isFloat(x.dtype)) {
    throw new TensorTypeError(`${opName}: ${describe(x)} must be a float with at least one axis`);
  }
  return [x.type];
}

/** Applies `compute` to each row, a row being what lies along the last axis. */
export function asRows(x: DenseArray, compute: (row: Float64Array) => Float64Array): Float64Array {
  const width = at(x.shape, -1);
  const data = new Float64Array(x.data.length);
  for (let start = 0; start < data.length; start += width)
    data.set(compute(x.data.subarray(start, start + width)), start);
  return data;
}
