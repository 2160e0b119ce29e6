import type { NdArray } from '@longrun/serialization';

import { filled, Initialization } from './initialization.js';
import type { RandomNumbers } from './random-source.js';

/** Independent normal numbers. */
export class IsotropicGaussian extends Initialization {
  readonly std: number;
  readonly mean: number;

  /**
   * @param std standard deviation, default 1
   * @param mean default 0
   */
  constructor(std = 1, mean = 0) {
    super();
    if (!(std >= 0)) throw new Error(`IsotropicGaussian: std is ${std}; give a number of at least 0`);
    this.std = std;
    this.mean = mean;
  }

  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    return filled(shape, () => this.mean + this.std * random.normal());
  }
}
