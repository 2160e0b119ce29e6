import { type DType, type NdArray, uninitialized } from './ndarray.js';

/**
 * The array with another element type, as C and NumPy convert: fractions are cut off, whole numbers that do not fit wrap around, to `bool`
 * everything but zero is true, and what float32 cannot hold is rounded, or infinite. The array itself where it is of that type.
 *
 * @param what names the array in errors
 * @param into where another array lies. Default: in memory of its own
 * @throws RangeError for what is no finite number, to `int64`
 */
export function cast(array: NdArray, dtype: DType, what = 'cast: the array', into = uninitialized): NdArray {
  if (array.dtype === dtype) return array;
  const result = into(dtype, array.shape);
  const { data: from } = array;
  const { data: to } = result;
  if (to instanceof BigInt64Array) {
    for (let i = 0; i < to.length; i += 1) to[i] = wholeOf(from[i] ?? 0, what);
  } else if (dtype === 'bool') {
    // oxlint-disable-next-line eqeqeq -- 0n and 0 are both false
    for (let i = 0; i < to.length; i += 1) to[i] = from[i] == 0 ? 0 : 1;
  } else if (from instanceof BigInt64Array) {
    const whole = dtype !== 'float32' && dtype !== 'float64';
    // Whole numbers are wrapped before they become a double, which holds 53 bits only.
    for (let i = 0; i < to.length; i += 1) to[i] = Number(whole ? BigInt.asIntN(32, from[i] ?? 0n) : from[i]);
  } else {
    for (let i = 0; i < to.length; i += 1) to[i] = from[i] ?? 0;
  }
  return result;
}

/** Whether each value of one element type is a value of the other: {@link cast} then loses nothing. */
export function keepsValues(from: DType, to: DType): boolean {
  return from === to || WIDER[from].includes(to);
}

const WIDER: { readonly [D in DType]: readonly DType[] } = {
  bool: ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'int64', 'float32', 'float64'],
  uint8: ['uint16', 'int16', 'uint32', 'int32', 'int64', 'float32', 'float64'],
  int8: ['int16', 'int32', 'int64', 'float32', 'float64'],
  uint16: ['uint32', 'int32', 'int64', 'float32', 'float64'],
  int16: ['int32', 'int64', 'float32', 'float64'],
  uint32: ['int64', 'float64'],
  int32: ['int64', 'float64'],
  float32: ['float64'],
  int64: [],
  float64: [],
};

function wholeOf(value: number | bigint, what: string): bigint {
  if (typeof value === 'bigint') return value;
  if (!Number.isFinite(value)) throw new RangeError(`${what} has ${value}, which int64 cannot hold`);
  return BigInt(Math.trunc(value));
}
