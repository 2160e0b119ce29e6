import { ndarray, RandomState, sizeOf, type NdArray } from '@longrun/serialization';

import { filled, Initialization } from './initialization.js';
import type { RandomNumbers } from './random-source.js';

/** Options of {@link Uniform}: exactly one of `width` and `std`. */
export interface UniformOptions {
  /** Middle of the interval. Default 0. */
  readonly mean?: number;
  /** Its length. */
  readonly width?: number;
  /** Standard deviation: a width of `sqrt(12) * std`. */
  readonly std?: number;
}

/** Independent numbers, equally likely in `[mean - width / 2, mean + width / 2)`. */
export class Uniform extends Initialization {
  readonly mean: number;
  readonly width: number;

  constructor(options: UniformOptions) {
    super();
    const { mean = 0, width, std } = options;
    if ((width === undefined) === (std === undefined)) {
      throw new Error(`Uniform: width is ${width} and std is ${std}; give exactly one of them`);
    }
    this.mean = mean;
    this.width = width ?? Math.sqrt(12) * (std ?? 0);
  }

  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    if (random instanceof RandomState) {
      const half = this.width / 2;
      return ndarray('float64', shape, random.uniform(this.mean - half, this.mean + half, sizeOf(shape)));
    }
    return filled(shape, () => this.mean + this.width * (random.uniform() - 0.5));
  }
}
