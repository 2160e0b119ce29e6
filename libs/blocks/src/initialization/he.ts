import type { NdArray } from '@longrun/serialization';

import { fansOf, type Fans } from './fans.js';
import { checkedGain } from './glorot.js';
import { Initialization } from './initialization.js';
import { IsotropicGaussian } from './isotropic-gaussian.js';
import type { RandomNumbers } from './random-source.js';
import { Uniform } from './uniform.js';

/** Options of {@link HeNormal} and {@link HeUniform}. */
export interface HeOptions {
  /** By how much what follows shrinks signals. Default `sqrt(2)`, for rectifiers. */
  readonly gain?: number;
  /** Whose size is kept: of signals by the number of inputs, of gradients by that of outputs. Default `in`. */
  readonly fan?: keyof Fans;
}

/**
 * Independent normal numbers of the standard deviation `gain / sqrt(fan)`, which keeps the size of signals through rectifiers (He et al., 2015; PyTorch:
 * `kaiming_normal_`). For matrices and filters: see `fansOf`.
 */
export class HeNormal extends Initialization {
  readonly #std: (shape: readonly number[]) => number;

  constructor(options: HeOptions = {}) {
    super();
    this.#std = heStd('HeNormal', options);
  }

  /** @throws Error unless `shape` is one of matrices or filters */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    return new IsotropicGaussian(this.#std(shape)).generate(random, shape);
  }
}

/** As {@link HeNormal}, uniform in an interval: of `gain * sqrt(3 / fan)` on either side of 0 (PyTorch: `kaiming_uniform_`). */
export class HeUniform extends Initialization {
  readonly #std: (shape: readonly number[]) => number;

  constructor(options: HeOptions = {}) {
    super();
    this.#std = heStd('HeUniform', options);
  }

  /** @throws Error unless `shape` is one of matrices or filters */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    return new Uniform({ std: this.#std(shape) }).generate(random, shape);
  }
}

function heStd(who: string, { gain, fan = 'in' }: HeOptions): (shape: readonly number[]) => number {
  // The same bits as ever: the square of a rounded root of 2 is not 2.
  if (gain === undefined) return (shape) => Math.sqrt(2 / fansOf(shape, who)[fan]);
  const checked = checkedGain(who, gain);
  return (shape) => checked / Math.sqrt(fansOf(shape, who)[fan]);
}
