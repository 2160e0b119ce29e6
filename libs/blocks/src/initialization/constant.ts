import type { NdArray, RandomStream } from '@longrun/serialization';

import { filled, Initialization } from './initialization.js';

/** The same number everywhere. */
export class Constant extends Initialization {
  readonly constant: number;

  constructor(constant: number) {
    super();
    this.constant = constant;
  }

  override generate(_random: RandomStream, shape: readonly number[]): NdArray<'float32'> {
    return filled(shape, () => this.constant);
  }
}
