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
  readonly gain: number;
  readonly fan: keyof Fans;

  constructor({ gain = Math.SQRT2, fan = 'in' }: HeOptions = {}) {
    super();
    this.gain = checkedGain('HeNormal', gain);
    this.fan = fan;
  }

  /** @throws Error unless `shape` is one of matrices or filters */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    const std = this.gain / Math.sqrt(fansOf(shape, 'HeNormal')[this.fan]);
    return new IsotropicGaussian(std).generate(random, shape);
  }
}

/** As {@link HeNormal}, uniform in an interval: of `gain * sqrt(3 / fan)` on either side of 0 (PyTorch: `kaiming_uniform_`). */
export class HeUniform extends Initialization {
  readonly gain: number;
  readonly fan: keyof Fans;

  constructor({ gain = Math.SQRT2, fan = 'in' }: HeOptions = {}) {
    super();
    this.gain = checkedGain('HeUniform', gain);
    this.fan = fan;
  }

  /** @throws Error unless `shape` is one of matrices or filters */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    const std = this.gain / Math.sqrt(fansOf(shape, 'HeUniform')[this.fan]);
    return new Uniform({ std }).generate(random, shape);
  }
}
