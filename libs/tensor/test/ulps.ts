import type { NdArray } from '@longrun/serialization';

/** How far a result may be from what it should be. */
export interface Allowance {
  /** Units in the last place, of the expected value or of its scale where that is larger. */
  readonly ulps: number;
  /** How large the terms were of which the value is the sum: one number, or one for each element. Default 0. */
  readonly scale?: number | NdArray;
}

/**
 * What is wrong with a result, as a sentence, or undefined when nothing is: its dtype and shape are equal, NaN and infinities are in
 * the same places, and floats are within the allowance, all others equal. There is no absolute tolerance: small numbers
 * must be right in their own last places.
 */
export function misfit(actual: NdArray, expected: NdArray, allowance: Allowance): string | undefined {
  if (actual.dtype !== expected.dtype) return `is ${actual.dtype} but should be ${expected.dtype}`;
  if (String(actual.shape) !== String(expected.shape) || actual.shape.length !== expected.shape.length) {
    return `has the shape (${actual.shape.join(', ')}) but should have (${expected.shape.join(', ')})`;
  }
  for (let at = 0; at < expected.data.length; at += 1) {
    const [got, want] = [Number(actual.data[at]), Number(expected.data[at])];
    if (Object.is(got, want) || got === want) continue;
    const scale = typeof allowance.scale === 'object' ? Number(allowance.scale.data[at]) : (allowance.scale ?? 0);
    const size = Math.max(Math.abs(want), scale);
    const off = Math.abs(got - want) / ulp(actual.dtype, size);
    if (Number.isFinite(off) && off <= allowance.ulps) continue;
    return `has ${got} at ${at} but should have ${want}${Number.isFinite(off) ? `: ${off.toPrecision(3)} ulps off` : ''}`;
  }
  return undefined;
}

/** The distance from `size` to the next larger number of its dtype; of numbers that are not floats, none is near another. */
function ulp(dtype: NdArray['dtype'], size: number): number {
  switch (dtype) {
    case 'float32':
      return 2 ** (Math.max(exponentOf(size), -126) - 23);
    case 'float64':
      return 2 ** (Math.max(exponentOf(size), -1022) - 52);
    default:
      return 0;
  }
}

function exponentOf(size: number): number {
  return size === 0 ? -Infinity : Math.floor(Math.log2(size));
}
