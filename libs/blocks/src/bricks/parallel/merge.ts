import { add, at, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick, Dimension } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { Linear } from '../linear.js';
import { transformNames } from './parallel.js';
import { ParallelTransforms } from './parallel-transforms.js';

/** Options of {@link Merge}. */
export interface MergeOptions<Name extends string = string> extends InitializableOptions {
  readonly inputNames: readonly Name[];
  /** Size of each input, in the order of the names. May be set later. */
  readonly inputDims?: readonly (number | undefined)[] | undefined;
  /** Size of the output. May be set later. */
  readonly outputDim?: number | undefined;
  /** What is copied for each input. Default: a `Linear` without a bias. */
  readonly prototype?: (Brick & Feedforward) | undefined;
}

/** The sum of what copies `transform_<name>` of one brick make of several inputs: `merge.apply({ left, right })`. */
export class Merge<Name extends string = string> extends ParallelTransforms {
  readonly inputDims: readonly Lazy<number>[];
  readonly outputDim: Lazy<number>;

  constructor(options: MergeOptions<Name>) {
    const { inputNames: names, prototype = new Linear({ useBias: false }) } = options;
    super(options, { names, prefix: 'transform', prototype });
    this.inputDims = this.lazyDims('inputDims', options.inputDims);
    this.outputDim = lazy(options.outputDim, 'outputDim');
  }

  @application({ inputs: transformNames, outputs: ['output'] })
  apply(given: Readonly<Record<Name, Variable>>): Variable {
    const parts = this.transformed((name) => this.given(given, name));
    return Object.values(parts).reduce((total, part) => add(total, part));
  }

  protected override sizesAt(place: number): { readonly input: Lazy<number>; readonly output: Lazy<number> } {
    return { input: at(this.inputDims, place), output: this.outputDim };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'output' && this.outputDim.isSet) return this.outputDim.value;
    return this.dimOf(this.inputDims, name) ?? super.dimensionOf(name);
  }
}
