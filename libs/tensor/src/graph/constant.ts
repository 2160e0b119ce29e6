import { DTYPES, ndarray, sizeOf, type DType, type NdArray } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { typedArray } from '../arrays/typed-array.js';
import { floatX } from './float-x.js';
import { oneOf } from './one-of.js';
import { isFloat, TensorTypeError } from './tensor-type.js';
import { Variable } from './variable.js';

/** A variable whose value is part of the graph. */
export class Constant extends Variable {
  /** Never written. */
  readonly value: NdArray;

  constructor(value: NdArray, name?: string) {
    super({ dtype: value.dtype, shape: value.shape }, name === undefined ? {} : { name });
    this.value = value;
  }

  /** The first element as a number: the value of a scalar. */
  toNumber(): number {
    return Number(at<number | bigint>(this.value.data, 0));
  }

  /** Scalars print as their value. */
  override toString(): string {
    return this.name ?? (sizeOf(this.value.shape) === 1 ? String(this.value.data[0]) : super.toString());
  }
}

/**
 * A constant from a number (a scalar, {@link floatX} unless `dtype` is given) or an array.
 *
 * @throws TensorTypeError where an integer dtype cannot hold the number.
 */
export function constant(value: number | boolean | NdArray, dtype?: DType): Constant {
  if (typeof value === 'object') return new Constant(value);
  const type = oneOf('constant', 'dtype', dtype ?? (typeof value === 'boolean' ? 'bool' : floatX()), DTYPES);
  if (typeof value === 'number' && !canHold(type, value)) {
    throw new TensorTypeError(`constant: ${type} cannot hold ${value}; give a number that it can, or another dtype`);
  }
  return new Constant(ndarray(type, [], typedArray(type, [Number(value)])));
}

function canHold(dtype: DType, value: number): boolean {
  if (isFloat(dtype) || dtype === 'bool') return true;
  return Number.isInteger(value) && Number(typedArray(dtype, [value])[0]) === value;
}
