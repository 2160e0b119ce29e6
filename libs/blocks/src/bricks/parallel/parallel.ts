import { at, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick, Dimension } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import type { InitializableOptions } from '../initializable.js';
import type { Lazy } from '../lazy.js';
import { ParallelTransforms } from './parallel-transforms.js';

/** Options of {@link Parallel}. */
export interface ParallelOptions<Name extends string = string> extends InitializableOptions {
  /** Names of the inputs, and of the outputs. */
  readonly inputNames: readonly Name[];
  /** Size of each input, in the order of the names. May be set later. */
  readonly inputDims?: readonly (number | undefined)[] | undefined;
  /** Size of each output, in the order of the names. May be set later. */
  readonly outputDims?: readonly (number | undefined)[] | undefined;
  /** What is copied for each input. */
  readonly prototype: Brick & Feedforward;
  /** Begins the names of the copies: `<childPrefix>_<name>`. Default `transform`. */
  readonly childPrefix?: string | undefined;
}

/** A copy of one brick for each input: `parallel.apply({ left, right })` is what the one makes of `left` and the other of `right`. */
export class Parallel<Name extends string = string> extends ParallelTransforms {
  readonly inputDims: readonly Lazy<number>[];
  readonly outputDims: readonly Lazy<number>[];

  constructor(options: ParallelOptions<Name>) {
    super(options, {
      names: options.inputNames,
      prefix: options.childPrefix ?? 'transform',
      prototype: options.prototype,
    });
    this.inputDims = this.lazyDims('inputDims', options.inputDims);
    this.outputDims = this.lazyDims('outputDims', options.outputDims);
  }

  @application({ inputs: transformNames, outputs: transformNames })
  apply(given: Readonly<Record<Name, Variable>>): Readonly<Record<Name, Variable>> {
    return this.transformed((name) => this.given(given, name));
  }

  protected override sizesAt(place: number): { readonly input: Lazy<number>; readonly output: Lazy<number> } {
    return { input: at(this.inputDims, place), output: at(this.outputDims, place) };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    return this.dimOf(this.inputDims, name) ?? super.dimensionOf(name);
  }
}

/** The names of the transforms. */
export function transformNames({ transforms }: ParallelTransforms): readonly string[] {
  return [...transforms.keys()];
}
