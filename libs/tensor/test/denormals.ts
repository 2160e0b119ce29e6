import { ndarray, type NdArray } from '@longrun/serialization';

import { broadcastStrides, offsets } from '../src/arrays/dense-array.js';
import { broadcastDims } from '../src/graph/tensor-type.js';
import { present } from './op-laws.js';

/** The smallest float32 that is no denormal, and the largest whose reciprocal is none. */
const [SMALLEST, LARGEST] = [2 ** -126, 2 ** 126];

/**
 * What an engine that takes denormals of float32 for 0 would have computed if it did not: `actual` with the elements of `expected`
 * where it is 0 in place of a denormal, and, where everything is computed element by element, where an input is a denormal.
 */
export function withDenormals(actual: NdArray, expected: NdArray, inputs: readonly NdArray[]): NdArray {
  return mended(actual, expected, inputs, (at, fed) => {
    const isFlushed = actual.data[at] === 0 && isDenormal(expected, at);
    return isFlushed || fed.some(({ input, from }) => isDenormal(input, from));
  });
}

/**
 * What an engine whose division multiplies by a reciprocal, and takes one that is a denormal for 0, would have computed if it divided:
 * `actual` with the elements of `expected` where it is 0 or NaN and the last input, everything being computed element by element, is so large.
 */
export function withQuotients(actual: NdArray, expected: NdArray, inputs: readonly NdArray[]): NdArray {
  return mended(actual, expected, inputs, (at, fed) => {
    const isLost = actual.data[at] === 0 || Number.isNaN(actual.data[at]);
    const divisor = fed.at(-1);
    return isLost && divisor !== undefined && isBeyondReciprocals(divisor.input, divisor.from);
  });
}

/** An element of an input that an element of the result is computed from. */
interface FedElement {
  readonly input: NdArray;
  readonly from: number;
}

/** `actual` with the elements of `expected` where an engine is excused; what it was fed is told where everything is computed element by element. */
function mended(
  actual: NdArray,
  expected: NdArray,
  inputs: readonly NdArray[],
  isExcused: (at: number, fed: readonly FedElement[]) => boolean,
): NdArray {
  const { shape } = expected;
  const isElementwise = String(broadcastDims(inputs.map((input) => input.shape))) === String(shape);
  const fed = (isElementwise ? inputs : []).map((input) => ({
    input,
    read: offsets(shape, broadcastStrides(input.shape, shape)),
  }));
  const result: NdArray = ndarray(actual.dtype, actual.shape, actual.data.slice() as never);
  for (let at = 0; at < expected.data.length; at += 1) {
    const elements = fed.map(({ input, read }) => ({ input, from: present(read[at]) }));
    if (isExcused(at, elements)) result.data[at] = expected.data[at] as never;
  }
  return result;
}

function isBeyondReciprocals({ dtype, data }: NdArray, at: number): boolean {
  const element = Math.abs(Number(data[at]));
  return dtype === 'float32' && element > LARGEST && element < Infinity;
}

function isDenormal({ dtype, data }: NdArray, at: number): boolean {
  const element = Math.abs(Number(data[at]));
  return dtype === 'float32' && element > 0 && element < SMALLEST;
}
