import { add, at, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick, Dimension } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { Linear } from '../linear.js';
import { transformNames } from './parallel.js';
import { ParallelTransforms } from './parallel-transforms.js';

/** Options of {@link Distribute}. */
export interface DistributeOptions<
  Target extends string = string,
  Source extends string = string,
> extends InitializableOptions {
  /** Names of what is added to. */
  readonly targetNames: readonly Target[];
  /** Name of what is added, once it is transformed. */
  readonly sourceName: Source;
  /** Size of each target, in the order of the names. May be set later. */
  readonly targetDims?: readonly (number | undefined)[] | undefined;
  /** Size of the source. May be set later. */
  readonly sourceDim?: number | undefined;
  /** What is copied for each target. Default: a `Linear` without a bias. */
  readonly prototype?: (Brick & Feedforward) | undefined;
}

/**
 * Adds to each of several targets what a copy `fork_<name>` of one brick makes of the source: `distribute.apply({ glimpse, inputs, gates })`
 * gives `{ inputs, gates }`.
 */
export class Distribute<Target extends string = string, Source extends string = string> extends ParallelTransforms {
  readonly sourceName: Source;
  readonly sourceDim: Lazy<number>;
  readonly targetDims: readonly Lazy<number>[];

  constructor(options: DistributeOptions<Target, Source>) {
    const { targetNames: names, prototype = new Linear({ useBias: false }) } = options;
    super(options, { names, prefix: 'fork', prototype });
    this.targetDims = this.lazyDims('targetDims', options.targetDims);
    this.sourceName = options.sourceName;
    this.sourceDim = lazy(options.sourceDim, 'sourceDim');
  }

  @application({
    inputs: (distribute: Distribute) => [distribute.sourceName, ...transformNames(distribute)],
    outputs: transformNames,
  })
  apply(given: Readonly<Record<Target | Source, Variable>>): Readonly<Record<Target, Variable>> {
    const source = this.given(given, this.sourceName);
    const added = Object.entries(this.transformed(() => source)).map(
      ([name, part]) => [name, add(this.given(given, name), part)] as const,
    );
    // There is a transform for each target.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return Object.fromEntries(added) as Readonly<Record<Target, Variable>>;
  }

  protected override sizesAt(place: number): { readonly input: Lazy<number>; readonly output: Lazy<number> } {
    return { input: this.sourceDim, output: at(this.targetDims, place) };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === this.sourceName && this.sourceDim.isSet) return this.sourceDim.value;
    return this.dimOf(this.targetDims, name) ?? super.dimensionOf(name);
  }
}
