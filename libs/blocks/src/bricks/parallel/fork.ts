import { at, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick, Dimension } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { Linear } from '../linear.js';
import { transformNames } from './parallel.js';
import { ParallelTransforms } from './parallel-transforms.js';

/** Options of {@link Fork}. */
export interface ForkOptions<Name extends string = string> extends InitializableOptions {
  readonly outputNames: readonly Name[];
  /** Size of the input. May be set later. */
  readonly inputDim?: number | undefined;
  /** Size of each output, in the order of the names. May be set later. */
  readonly outputDims?: readonly (number | undefined)[] | undefined;
  /** What is copied for each output. Default: a `Linear`. */
  readonly prototype?: (Brick & Feedforward) | undefined;
}

/**
 * Several outputs of one input, by copies `fork_<name>` of one brick: what a recurrent brick takes is made so, as in
 * `gru.apply(fork.apply(x))`.
 */
export class Fork<Name extends string = string> extends ParallelTransforms {
  readonly inputDim: Lazy<number>;
  readonly outputDims: readonly Lazy<number>[];

  constructor(options: ForkOptions<Name>) {
    super(options, { names: options.outputNames, prefix: 'fork', prototype: options.prototype ?? new Linear() });
    this.inputDim = lazy(options.inputDim, 'inputDim');
    this.outputDims = this.lazyDims('outputDims', options.outputDims);
  }

  @application({ inputs: ['input'], outputs: transformNames })
  apply(input: Variable): Readonly<Record<Name, Variable>> {
    return this.transformed(() => input);
  }

  protected override sizesAt(place: number): { readonly input: Lazy<number>; readonly output: Lazy<number> } {
    return { input: this.inputDim, output: at(this.outputDims, place) };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'input' && this.inputDim.isSet) return this.inputDim.value;
    return this.dimOf(this.outputDims, name) ?? super.dimensionOf(name);
  }
}
