import type { NdArray, RandomStream } from '@longrun/serialization';

import { Initialization } from './initialization.js';
import { IsotropicGaussian } from './isotropic-gaussian.js';

/**
 * Independent normal numbers of the standard deviation `sqrt(2 / fan-in)`, which keeps the size of signals through rectifiers (He et al., 2015;
 * PyTorch: `kaiming_normal_`). For matrices `(inputDim, outputDim)`, such as the `W` of `Linear`.
 */
export class HeNormal extends Initialization {
  /** @throws Error unless `shape` has two axes */
  override generate(random: RandomStream, shape: readonly number[]): NdArray<'float64'> {
    const [fanIn] = shape;
    if (shape.length !== 2 || fanIn === undefined) {
      throw new Error(`HeNormal: the shape is (${shape.join(', ')}); only matrices can be initialized so`);
    }
    return new IsotropicGaussian(Math.sqrt(2 / fanIn)).generate(random, shape);
  }
}
