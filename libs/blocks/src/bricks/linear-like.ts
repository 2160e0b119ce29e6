import type { SharedVariable } from '@longrun/tensor';

import type { RandomSource } from '../initialization/random-source.js';
import { Initializable } from './initializable.js';

/** A brick with one weight parameter `W` and, unless `useBias` is false, one bias `b` (Blocks: `LinearLike`). */
export abstract class LinearLike extends Initializable {
  /** The weights. Throws before `allocate()`. */
  get W(): SharedVariable {
    return this.parameterNamed('W');
  }

  /** The bias. Throws before `allocate()`, and when there is none. */
  get b(): SharedVariable {
    return this.parameterNamed('b');
  }

  protected override initializeParameters(random: RandomSource): void {
    if (this.useBias) {
      this.required(this.biasesInit, 'biasesInit').initialize(this.b, this.randomFor(this.b, random));
    }
    this.required(this.weightsInit, 'weightsInit').initialize(this.W, this.randomFor(this.W, random));
  }
}
