import type { Variable } from '@longrun/tensor';

import { application } from './application.js';
import type { Dimension } from './brick.js';
import type { Feedforward } from './feedforward.js';
import { Initializable, type InitializableOptions } from './initializable.js';
import { lazy, type Lazy } from './lazy.js';
import { Linear } from './linear.js';
import { Maxout } from './maxout.js';

/** Options of {@link LinearMaxout}. */
export interface LinearMaxoutOptions extends InitializableOptions {
  /** Size of the last axis of the input. May be set later. */
  readonly inputDim?: number | undefined;
  /** Size of the last axis of the output. May be set later. */
  readonly outputDim?: number | undefined;
  /** Of how many linear functions each output is the largest. */
  readonly numPieces: number;
}

/** A {@link Linear} and a {@link Maxout}: each output is the largest of `numPieces` linear functions. */
export class LinearMaxout extends Initializable implements Feedforward {
  readonly inputDim: Lazy<number>;
  readonly outputDim: Lazy<number>;
  readonly linear = new Linear();
  readonly maxout: Maxout;

  constructor(options: LinearMaxoutOptions) {
    super(options);
    this.inputDim = lazy(options.inputDim, 'inputDim');
    this.outputDim = lazy(options.outputDim, 'outputDim');
    this.maxout = new Maxout({ numPieces: options.numPieces });
    for (const brick of [this.linear, this.maxout]) this.addChild(brick);
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    return this.maxout.apply(this.linear.apply(input));
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    this.linear.inputDim.value = this.inputDim.value;
    this.linear.outputDim.value = this.outputDim.value * this.maxout.numPieces;
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'input' && this.inputDim.isSet) return this.inputDim.value;
    if (name === 'output' && this.outputDim.isSet) return this.outputDim.value;
    return super.dimensionOf(name);
  }
}
