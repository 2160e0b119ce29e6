import type { NdArray } from '@longrun/serialization';

import { fansOf } from './fans.js';
import { Initialization } from './initialization.js';
import { IsotropicGaussian } from './isotropic-gaussian.js';
import type { RandomNumbers } from './random-source.js';
import { Uniform } from './uniform.js';

/**
 * Independent normal numbers of the standard deviation `gain * sqrt(2 / (fan-in + fan-out))`, which keeps the size of signals and of gradients through linear maps and tanh
 * (Glorot and Bengio, 2010; PyTorch: `xavier_normal_`). For matrices and filters: see `fansOf`.
 */
export class GlorotNormal extends Initialization {
  readonly gain: number;

  /** @param gain by how much what follows shrinks signals. Default 1 */
  constructor(gain = 1) {
    super();
    this.gain = checkedGain('GlorotNormal', gain);
  }

  /** @throws Error unless `shape` is one of matrices or filters */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    return new IsotropicGaussian(glorotStd('GlorotNormal', this.gain, shape)).generate(random, shape);
  }
}

/** As {@link GlorotNormal}, uniform in an interval: of `gain * sqrt(6 / (fan-in + fan-out))` on either side of 0 (PyTorch: `xavier_uniform_`). */
export class GlorotUniform extends Initialization {
  readonly gain: number;

  /** @param gain by how much what follows shrinks signals. Default 1 */
  constructor(gain = 1) {
    super();
    this.gain = checkedGain('GlorotUniform', gain);
  }

  /** @throws Error unless `shape` is one of matrices or filters */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    return new Uniform({ std: glorotStd('GlorotUniform', this.gain, shape) }).generate(random, shape);
  }
}

/** A gain that can be. @throws Error for a negative one, or none */
export function checkedGain(who: string, gain: number): number {
  if (gain >= 0) return gain;
  throw new Error(`${who}: gain is ${gain}; give a number of at least 0`);
}

function glorotStd(who: string, gain: number, shape: readonly number[]): number {
  const fans = fansOf(shape, who);
  return gain * Math.sqrt(2 / (fans.in + fans.out));
}
