import { ndarray, type NdArray } from '@longrun/serialization';
import { at, broadcastStrides, formatShape, offsets, shapeBroadcastsTo } from '@longrun/tensor';

import { Initialization } from './initialization.js';
import type { RandomNumbers } from './random-source.js';

/** The same number everywhere, or the same array along the axes that it has not: a list of 3 makes each row of (2, 3). */
export class Constant extends Initialization {
  readonly constant: number | readonly number[] | NdArray;

  constructor(constant: number | readonly number[] | NdArray) {
    super();
    this.constant = constant;
  }

  /** @throws Error where the constant does not broadcast to `shape`. */
  override generate(_random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    const value = arrayOf(this.constant);
    if (!shapeBroadcastsTo(value.shape, shape)) {
      throw new Error(
        `Constant: a constant of shape ${formatShape(value.shape)} does not broadcast to ${formatShape(shape)}; ` +
          'its sizes must be equal or 1, counted from the last axis',
      );
    }
    const elements = Float64Array.from(value.data as ArrayLike<number | bigint>, Number);
    const reads = offsets(shape, broadcastStrides(value.shape, shape));
    return ndarray(
      'float64',
      shape,
      Float64Array.from(reads, (offset) => at(elements, offset)),
    );
  }
}

function arrayOf(constant: number | readonly number[] | NdArray): NdArray {
  if (typeof constant === 'number') return ndarray('float64', [], Float64Array.of(constant));
  return 'dtype' in constant ? constant : ndarray('float64', [constant.length], Float64Array.from(constant));
}
