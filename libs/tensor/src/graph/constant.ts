import { ndarray, sizeOf, type DType, type NdArray, type TypedArrayOf } from '@longrun/serialization';

import { Variable } from './variable.js';

/** A variable whose value is part of the graph. */
export class Constant extends Variable {
  /** Never written. */
  readonly value: NdArray;

  constructor(value: NdArray, name?: string) {
    super({ dtype: value.dtype, shape: value.shape }, name === undefined ? {} : { name });
    this.value = value;
  }

  /** Scalars print as their value. */
  override toString(): string {
    return this.name ?? (sizeOf(this.value.shape) === 1 ? String(this.value.data[0]) : super.toString());
  }
}

/** A constant from a number (a scalar, float32 unless `dtype` is given) or an array. */
export function constant(value: number | boolean | NdArray, dtype?: DType): Constant {
  if (typeof value === 'object') return new Constant(value);
  const type = dtype ?? (typeof value === 'boolean' ? 'bool' : 'float32');
  return new Constant(ndarray(type, [], typedArray(type, [Number(value)])));
}

/** A typed array of `dtype` holding `values`; integers are truncated and wrap. */
export function typedArray<D extends DType>(dtype: D, values: ArrayLike<number>): TypedArrayOf<D> {
  const { data } = ndarray(dtype, [values.length]);
  if (data instanceof BigInt64Array) {
    for (let index = 0; index < values.length; index += 1) data[index] = BigInt(Math.trunc(Number(values[index])));
  } else if (dtype === 'bool') {
    for (let index = 0; index < values.length; index += 1) data[index] = Number(values[index]) === 0 ? 0 : 1;
  } else {
    data.set(values);
  }
  return data;
}
