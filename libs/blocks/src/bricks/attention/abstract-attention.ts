import type { Variable } from '@longrun/tensor';

import type { Dimension } from '../brick.js';
import { Initializable, type InitializableOptions } from '../initializable.js';
import { lazy, lazyEach, type Lazy } from '../lazy.js';
import type { NamedVariables } from '../tagging.js';

/** Options of {@link AbstractAttention}. */
export interface AttentionOptions extends InitializableOptions {
  /** The states that decide what is attended to. */
  readonly stateNames: readonly string[];
  /** Size of each of them, in the order of the names. May be set later. */
  readonly stateDims?: readonly (number | undefined)[] | undefined;
  /** Size of each element of what is attended to. May be set later. */
  readonly attendedDim?: number | undefined;
}

/** What a glimpse is taken of, by name: the states that decide, too, and what an attention wants to know of its glimpse before. */
export type GlimpseInputs = NamedVariables & {
  /** (attended time, batch, attendedDim) */
  readonly attended: Variable;
};

/** What {@link AbstractAttention.takeGlimpses} takes besides states. */
export const ATTENDED_INPUTS: readonly string[] = ['attended', 'preprocessed_attended', 'attended_mask'];

/**
 * Looks at some of what is attended to (Blocks: `AbstractAttention`): a glimpse, which depends on states and is taken anew with each step.
 *
 * Besides states, `takeGlimpses` takes `attended` (attended time, batch, attendedDim); `preprocessed_attended`, which {@link preprocess} makes of it, once for
 * all steps; and `attended_mask` (attended time, batch), 0 where there is nothing to see, without which there is something everywhere.
 */
export abstract class AbstractAttention extends Initializable {
  readonly stateNames: readonly string[];
  readonly stateDims: readonly Lazy<number>[];
  readonly attendedDim: Lazy<number>;

  constructor(options: AttentionOptions) {
    super(options);
    this.stateNames = options.stateNames;
    this.stateDims = lazyEach(this, 'stateDims', options.stateDims, options.stateNames.length);
    this.attendedDim = lazy(options.attendedDim, 'attendedDim');
  }

  /** What can be computed of `attended` whatever the states are. */
  abstract preprocess(attended: Variable): Variable;

  /** The glimpses by name, each (batch, ...). The first is the one that goes into the states. */
  abstract takeGlimpses(given: GlimpseInputs): NamedVariables;

  /** What stands for the glimpses before the first one, of the same shapes. */
  abstract initialGlimpses(batchSize: number | Variable, attended: Variable): NamedVariables;

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'attended' && this.attendedDim.isSet) return this.attendedDim.value;
    if (name === 'attended_mask') return 0;
    const state = this.stateDims[this.stateNames.indexOf(name)];
    return state?.isSet === true ? state.value : super.dimensionOf(name);
  }
}

/** The names of the inputs of a glimpse. */
export function glimpseInputs(attention: AbstractAttention): readonly string[] {
  return [...ATTENDED_INPUTS, ...attention.stateNames];
}
