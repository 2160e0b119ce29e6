import { ndarray, type NdArray } from '@longrun/serialization';

import { broadcastStrides, offsets } from '../src/arrays/dense-array.js';
import { broadcastDims } from '../src/graph/tensor-type.js';
import { present } from './op-laws.js';

/** The smallest float32 that is no denormal. */
const SMALLEST = 2 ** -126;

/**
 * What an engine that takes denormals of float32 for 0 would have computed if it did not: `actual` with the elements of `expected`
 * where it is 0 in place of a denormal, and, where everything is computed element by element, where an input is a denormal.
 */
export function withDenormals(actual: NdArray, expected: NdArray, inputs: readonly NdArray[]): NdArray {
  const { shape } = expected;
  const isElementwise = String(broadcastDims(inputs.map((input) => input.shape))) === String(shape);
  const fed = (isElementwise ? inputs : []).map((input) => ({
    input,
    read: offsets(shape, broadcastStrides(input.shape, shape)),
  }));
  const mended: NdArray = ndarray(actual.dtype, actual.shape, actual.data.slice() as never);
  for (let at = 0; at < expected.data.length; at += 1) {
    const isFlushed = mended.data[at] === 0 && isDenormal(expected, at);
    const isFed = fed.some(({ input, read }) => isDenormal(input, present(read[at])));
    if (isFlushed || isFed) mended.data[at] = expected.data[at] as never;
  }
  return mended;
}

function isDenormal({ dtype, data }: NdArray, at: number): boolean {
  const element = Math.abs(Number(data[at]));
  return dtype === 'float32' && element > 0 && element < SMALLEST;
}
