import { endianness } from 'node:os';

import { type DType, type NdArray, sizeOf, typedArrayConstructor } from '../ndarray.js';

/** The bytes of an array as they lie in memory, not copied. */
export function rawBytes({ data }: Pick<NdArray, 'data'>): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** An array of zeros, and its bytes to be filled. */
export function emptyTensor(dtype: DType, shape: readonly number[]): { tensor: NdArray; raw: Uint8Array } {
  const data = new (typedArrayConstructor(dtype))(sizeOf(shape));
  const tensor = { dtype, shape: [...shape], data };
  return { tensor, raw: rawBytes(tensor) };
}

/** What is wrong with the bytes of a `bool` array: the first that is neither 0 nor 1, counted from `first`. */
export function wrongBool(dtype: DType, raw: Uint8Array, first = 0): string | undefined {
  if (dtype !== 'bool') return undefined;
  const index = raw.findIndex((byte) => byte > 1);
  if (index < 0) return undefined;
  return `of bool has the byte ${raw[index]} at ${first + index}; only 0 and 1 are allowed`;
}

/** @throws Error on a machine that is not little-endian */
export function checkByteOrder(): void {
  if (endianness() === 'LE') return;
  throw new Error('tensor files: the formats are little-endian and this machine is not; use a little-endian machine');
}
