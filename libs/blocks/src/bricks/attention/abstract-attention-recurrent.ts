import type { Variable } from '@longrun/tensor';

import type { Brick, Dimension } from '../brick.js';
import { BaseRecurrent } from '../recurrent/base-recurrent.js';
import type { RecurrentCallOptions } from '../recurrent/call-options.js';
import type { NamedVariables } from '../tagging.js';

/** Variables by name, some of which may be left out. */
export type GivenVariables = Readonly<Record<string, Variable | undefined>>;

/**
 * A recurrent brick whose steps have two parts (Blocks: `AbstractAttentionRecurrent`): glimpses are taken, on which the output of the step may depend, and then
 * states are computed, which may depend on that output.
 */
export abstract class AbstractAttentionRecurrent extends BaseRecurrent {
  /** The brick that makes a step of the states. */
  abstract readonly transition: Brick;

  /** All steps, each of both parts. */
  abstract apply(given: GivenVariables, options?: RecurrentCallOptions): NamedVariables;

  /** The glimpses of a step, of the states before it and the contexts. */
  abstract takeGlimpses(given: NamedVariables): NamedVariables;

  /** The states after a step, of a row of each sequence, the states before it, the contexts and the glimpses. */
  abstract computeStates(given: NamedVariables): NamedVariables;

  /** What can be computed of the contexts once for all steps, by name: further contexts of {@link takeGlimpses}. */
  abstract preprocess(contexts: NamedVariables): NamedVariables;

  /** The axis of a context along which there is one for each example. */
  abstract batchAxisOf(context: string): number;

  protected override dimensionOf(name: string): Dimension | undefined {
    return this.transition.hasDim(name) ? this.transition.getDim(name) : super.dimensionOf(name);
  }
}

/** The glimpses that a step of such a brick takes, by name. */
export function glimpsesOf(brick: Brick): readonly string[] {
  return brick.application('takeGlimpses').outputs ?? [];
}
