import type { DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';

/**
 * A size: a number where it is known when the graph is built; else only the data tell it, and it has a name (`'batch'`), or is null. A name
 * stands for one size wherever it appears in a function, and changes no value: where the data give it two sizes, inputs and shared
 * variables together, that is an error before the run, as are other sizes of inputs that must be equal. Where an unknown size ought to be
 * one that the graph knows, or that of a shared variable, or is made by the run itself (slices with variable bounds), the engines
 * `onnxruntime` and `tfjs` may broadcast a 1 that the types did not announce, where `reference` throws.
 */
export type Dim = number | string | null;

/** Whether the graph tells the size: of one with a name, as of null, only the data do. */
export function isKnown(dim: Dim | undefined): dim is number {
  return typeof dim === 'number';
}

/** Whether the graph tells all sizes. */
export function isAllKnown(shape: readonly Dim[]): shape is readonly number[] {
  return shape.every(isKnown);
}

/**
 * The one size that two must be: a number where either is one, else the name that either has, of two names the first. Undefined where
 * two numbers disagree. That two names stand for one size is checked when the data are there.
 */
export function commonSize(first: Dim, second: Dim): Dim | undefined {
  if (isKnown(first) && isKnown(second)) return first === second ? first : undefined;
  if (isKnown(first) || isKnown(second)) return isKnown(first) ? first : second;
  return first ?? second;
}

/** The one shape that two must be, by {@link commonSize}; undefined where two numbers, or the numbers of axes, disagree. */
export function commonShape(first: readonly Dim[], second: readonly Dim[]): Dim[] | undefined {
  if (first.length !== second.length) return undefined;
  const shape = first.map((dim, axis) => commonSize(dim, at(second, axis)));
  return shape.every((dim) => dim !== undefined) ? shape : undefined;
}

/** @throws TensorTypeError, beginning with `who`, unless each size is one that a type can have */
export function assertDims(who: string, shape: readonly Dim[]): void {
  for (const dim of shape) {
    if (isKnown(dim) && !(Number.isInteger(dim) && dim >= 0)) {
      throw new TensorTypeError(`${who} cannot have a size of ${dim}; give an integer of 0 or more`);
    }
    if (typeof dim === 'string' && (dim === 'null' || !Number.isNaN(Number(dim)))) {
      throw new TensorTypeError(
        `${who} cannot have a size of the name '${dim}'; give a word such as 'batch', or null for a size without a name`,
      );
    }
  }
}

/** What is known of a variable's value before there is one. */
export interface TensorType {
  readonly dtype: DType;
  /** One entry per axis. Only a static 1 broadcasts: neither null nor a name is ever taken for 1. */
  readonly shape: readonly Dim[];
}

/** A graph that cannot be built or a value that does not fit: the message names the variable, the op and both sides. */
export class TensorTypeError extends Error {
  override readonly name = 'TensorTypeError';
}

/** `float32 (batch, 784)` */
export function formatType(type: TensorType): string {
  return `${type.dtype} ${formatShape(type.shape)}`;
}

/** `(batch, 784)`, `(null, 784)`; a vector prints as `(500,)`, a scalar as `()`. */
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

/**
 * True when what is of type `from` can stand where `to` is wanted: equal dtype, and each size equal where `to` knows it. Names do not
 * count: what stands in brings its own, under which its sizes are checked.
 */
export function isAssignable(from: TensorType, to: TensorType): boolean {
  return from.dtype === to.dtype && shapeFits(from.shape, to.shape);
}

/** True when `shape` has as many axes as `pattern` and agrees with it wherever the pattern knows the size. */
export function shapeFits(shape: readonly Dim[], pattern: readonly Dim[]): boolean {
  return (
    shape.length === pattern.length && pattern.every((expected, axis) => !isKnown(expected) || expected === shape[axis])
  );
}

/** The static shape of a broadcast, aligned at the last axis, each size as {@link commonSize} unless one is a static 1; undefined when two disagree. */
export function broadcastDims(shapes: readonly (readonly Dim[])[]): Dim[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dim[] = Array.from({ length: rank }, () => 1);
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis += 1) {
      const position = rank - shape.length + axis;
      const dim = at(shape, axis);
      const sofar = at(result, position);
      if (dim === 1) continue;
      const size = sofar === 1 ? dim : commonSize(sofar, dim);
      if (size === undefined) return undefined;
      result[position] = size;
    }
  }
  return result;
}
