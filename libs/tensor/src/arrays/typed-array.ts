import { ndarray, type DType, type TypedArrayOf } from '@longrun/serialization';

import { at } from './at.js';

/** A typed array of `dtype` holding `values`; integers are truncated and wrap. */
export function typedArray<D extends DType>(dtype: D, values: ArrayLike<number>): TypedArrayOf<D> {
  const { data } = ndarray(dtype, [values.length]);
  if (data instanceof BigInt64Array) {
    for (let index = 0; index < values.length; index += 1) data[index] = BigInt(Math.trunc(at(values, index)));
  } else if (dtype === 'bool') {
    for (let index = 0; index < values.length; index += 1) data[index] = at(values, index) === 0 ? 0 : 1;
  } else {
    data.set(values);
  }
  return data;
}
