import { ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';

import { at } from './at.js';
import { typedArray } from './typed-array.js';

/** A value as an op's own `run` computes with it: row-major float64, whatever the dtype it stands for. */
export interface DenseArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A zero-filled array, or one over `data`. Values of integer dtypes are wrapped to their width. */
export function dense(dtype: DType, shape: readonly number[], data?: Float64Array): DenseArray {
  return { dtype, shape, data: data ?? new Float64Array(sizeOf(shape)) };
}

export function toDense(value: NdArray): DenseArray {
  return dense(value.dtype, value.shape, elements(value.data));
}

/** A copy in float64, made element by element only where the engine of JavaScript cannot convert an array at once. */
function elements(data: NdArray['data']): Float64Array {
  if (!(data instanceof BigInt64Array)) return new Float64Array(data);
  const copy = new Float64Array(data.length);
  for (let position = 0; position < copy.length; position += 1) copy[position] = Number(data[position]);
  return copy;
}

/** Rounds to the dtype's own precision. */
export function fromDense(value: DenseArray): NdArray {
  return ndarray(value.dtype, value.shape, typedArray(value.dtype, value.data));
}

/** The value as its dtype holds it. */
export function roundToDtype(value: DenseArray): DenseArray {
  return value.dtype === 'float64' ? value : toDense(fromDense(value));
}

/** What a value becomes when an integer dtype holds it: truncated and wrapped, NaN and infinities 0. Floats keep float64 precision; int64 is exact to 2^53. */
export function wrapInteger(dtype: DType, data: Float64Array): Float64Array {
  switch (dtype) {
    case 'float32':
    case 'float64':
      return data;
    case 'int64':
      return data.map((value) => (Number.isFinite(value) ? Math.trunc(value) : 0));
    default:
      return elements(typedArray(dtype, data));
  }
}

/** Elements to skip for one step along each axis of a row-major array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = Array.from({ length: shape.length }, () => 1);
  for (let axis = shape.length - 2; axis >= 0; axis -= 1) strides[axis] = at(strides, axis + 1) * at(shape, axis + 1);
  return strides;
}

/**
 * For each element of a row-major array of `shape`, in order, the offset `sum(index[axis] * strides[axis])`: how broadcast,
 * transposed and sliced arrays are read.
 */
export function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const result = new Int32Array(sizeOf(shape));
  const index = new Int32Array(shape.length);
  let offset = start;
  for (let position = 0; position < result.length; position += 1) {
    result[position] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const next = at(index, axis) + 1;
      const stride = at(strides, axis);
      offset += stride;
      if (next < at(shape, axis)) {
        index[axis] = next;
        break;
      }
      offset -= stride * next;
      index[axis] = 0;
    }
  }
  return result;
}

/** The elements of `array` at `reads`, as an array of `shape`. */
export function gather(array: DenseArray, shape: readonly number[], reads: Int32Array): DenseArray {
  const data = new Float64Array(reads.length);
  for (let position = 0; position < data.length; position += 1) {
    data[position] = at(array.data, at(reads, position));
  }
  return dense(array.dtype, shape, data);
}

/** Whether an array of `shape` can be read as one of `target`: its sizes, counted from the last axis, are equal or 1. */
export function shapeBroadcastsTo(shape: readonly number[], target: readonly number[]): boolean {
  const missing = target.length - shape.length;
  return missing >= 0 && shape.every((size, axis) => size === 1 || size === target[axis + missing]);
}

/** The strides with which an array of `shape` is read as if it had the shape `target`: 0 along broadcast axes. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : at(own, axis - missing)));
}

/** `array` repeated along its broadcast axes until it has the shape `target`. */
export function broadcastTo(array: DenseArray, target: readonly number[]): DenseArray {
  return gather(array, target, offsets(target, broadcastStrides(array.shape, target)));
}
