import { dimension, isKnown, max, reshape, type Variable } from '@longrun/tensor';

import { application } from './application.js';
import { Brick, type BrickOptions } from './brick.js';

/** Options of {@link Maxout}. */
export interface MaxoutOptions extends BrickOptions {
  /** Of how many neighbours the largest is taken. */
  readonly numPieces: number;
}

/**
 * The largest of each `numPieces` elements of the last axis (Goodfellow et al., 2013): `(..., dim)` becomes `(..., dim / numPieces)`.
 */
export class Maxout extends Brick {
  readonly numPieces: number;

  /** @throws Error unless `numPieces` is a whole number of at least 1 */
  constructor(options: MaxoutOptions) {
    super(options);
    this.numPieces = options.numPieces;
    if (!Number.isInteger(this.numPieces) || this.numPieces < 1) {
      throw new Error(`${this.uniquePath}: numPieces is ${this.numPieces}; give a whole number of at least 1`);
    }
  }

  /** @throws Error where the last axis is known and is no multiple of `numPieces` */
  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    const last = input.shape.at(-1) ?? null;
    if (isKnown(last) && last % this.numPieces !== 0) {
      throw new Error(
        `${this.uniquePath}.apply: the last axis of the input has ${last} elements, which are not pieces of ${this.numPieces}; ` +
          'give a multiple of numPieces',
      );
    }
    const leading = input.shape.slice(0, -1).map((_, axis) => dimension(input, axis));
    return max(reshape(input, [...leading, isKnown(last) ? last / this.numPieces : -1, this.numPieces]), { axis: -1 });
  }
}
