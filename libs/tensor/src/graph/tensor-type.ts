import type { DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';

/**
 * A size known when the graph is built, or null for one that only the data tell (the batch size). Sizes of inputs that must be
 * equal are checked before each run. Of sizes that only the run itself makes (slices with variable bounds) the engine
 * `onnxruntime` may broadcast a 1 that the types did not announce, where `reference` throws.
 */
export type Dim = number | null;

/** What is known of a variable's value before there is one. */
export interface TensorType {
  readonly dtype: DType;
  /** One entry per axis. Only a static 1 broadcasts: null is never taken for 1. */
  readonly shape: readonly Dim[];
}

/** A graph that cannot be built or a value that does not fit: the message names the variable, the op and both sides. */
export class TensorTypeError extends Error {
  override readonly name = 'TensorTypeError';
}

/** `float32 (null, 784)` */
export function formatType(type: TensorType): string {
  return `${type.dtype} ${formatShape(type.shape)}`;
}

/** `(null, 784)`; a vector prints as `(500,)`, a scalar as `()`. */
export function formatShape(shape: readonly Dim[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.map(String).join(', ')})`;
}

/** True for float32 and float64: the dtypes through which gradients flow. */
export function isFloat(dtype: DType): dtype is 'float32' | 'float64' {
  return dtype === 'float32' || dtype === 'float64';
}

/** The float dtype that stands in for `dtype` in ops such as `exp` or `div`: Theano's rule, float64 from 32-bit integers on. */
export function floatFor(dtype: DType): 'float32' | 'float64' {
  switch (dtype) {
    case 'float64':
    case 'int32':
    case 'uint32':
    case 'int64':
      return 'float64';
    default:
      return 'float32';
  }
}

/**
 * The dtype both operands are cast to. Between integers and between floats as NumPy; a float beside an integer or a bool
 * keeps its own precision (float32 with int64 is float32), so that labels and masks never turn a model into float64.
 */
export function promote(first: DType, second: DType): DType {
  if (first === second) return first;
  if (isFloat(first) && isFloat(second)) return 'float64';
  if (isFloat(first)) return first;
  if (isFloat(second)) return second;
  if (first === 'bool') return second;
  if (second === 'bool') return first;
  const signed = first.startsWith('int') || second.startsWith('int');
  const bits = Math.max(bitsNeeded(first, signed), bitsNeeded(second, signed));
  const width = bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64;
  // uint64 does not exist here, and int64 is the widest there is.
  return width === 64 ? 'int64' : (`${signed ? 'int' : 'uint'}${width}` as DType);
}

function bitsNeeded(dtype: DType, signed: boolean): number {
  const width = Number(dtype.replace(/\D/g, ''));
  return signed && dtype.startsWith('uint') ? width * 2 : width;
}

/** True when a value of type `from` is always a value of type `to`: equal dtype, and each dim equal or unknown in `to`. */
export function isAssignable(from: TensorType, to: TensorType): boolean {
  return from.dtype === to.dtype && shapeFits(from.shape, to.shape);
}

/** True when `shape` has as many axes as `pattern` and agrees with it wherever the pattern is not null. */
export function shapeFits(shape: readonly Dim[], pattern: readonly Dim[]): boolean {
  return (
    shape.length === pattern.length && pattern.every((expected, axis) => expected === null || expected === shape[axis])
  );
}

/** The static shape of a broadcast, aligned at the last axis, or undefined when two static sizes disagree. */
export function broadcastDims(shapes: readonly (readonly Dim[])[]): Dim[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dim[] = Array.from({ length: rank }, () => 1);
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis += 1) {
      const position = rank - shape.length + axis;
      const dim = at(shape, axis);
      const sofar = at(result, position);
      if (dim === 1 || dim === sofar) continue;
      if (sofar === 1) result[position] = dim;
      else if (sofar === null) result[position] = dim;
      else if (dim !== null) return undefined;
    }
  }
  return result;
}
