import { ndarray, type NdArray } from '@longrun/serialization';

import { Initialization } from './initialization.js';
import type { RandomNumbers } from './random-source.js';

/** A matrix with `mult` on its diagonal and 0 elsewhere (Blocks: `initialization.Identity`). */
export class IdentityMatrix extends Initialization {
  readonly mult: number;

  /** @param mult default 1 */
  constructor(mult = 1) {
    super();
    this.mult = mult;
  }

  /** @throws Error unless `shape` has two axes */
  override generate(_random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows === undefined || columns === undefined) {
      throw new Error(`IdentityMatrix: the shape is (${shape.join(', ')}); only matrices can be initialized so`);
    }
    const matrix = ndarray('float64', shape);
    for (let at = 0; at < Math.min(rows, columns); at += 1) matrix.data[at * columns + at] = this.mult;
    return matrix;
  }
}
