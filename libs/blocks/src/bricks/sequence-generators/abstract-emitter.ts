import type { SharedVariable, Variable } from '@longrun/tensor';

import { Initializable } from '../initializable.js';
import type { Lazy } from '../lazy.js';
import type { NamedVariables } from '../tagging.js';

/** What emitting gives. */
export type Emission = NamedVariables & {
  readonly outputs: Variable;
  /** The state to draw from next, where something was drawn. */
  readonly random_state?: Variable;
};

/** Turns readouts into outputs, and tells what given outputs cost (Blocks: `AbstractEmitter`). */
export abstract class AbstractEmitter extends Initializable {
  /** Size of a readout. Set by the readout. */
  abstract readonly readoutDim: Lazy<number>;

  /** Whether it draws random numbers. */
  get draws(): boolean {
    return false;
  }

  /** What it draws from at first; undefined where it draws nothing. Throws before `allocate()` where it does. */
  get randomState(): SharedVariable | undefined {
    return undefined;
  }

  /**
   * Outputs (batch, ...) of readouts (batch, readoutDim).
   *
   * @param randomState what to draw from, where something is drawn. Default: {@link randomState}
   */
  abstract emit(readouts: Variable, randomState?: Variable): Emission;

  /** What each output costs: (...) of readouts (..., readoutDim). */
  abstract cost(readouts: Variable, outputs: Variable): Variable;

  /** What stands for the outputs before the first one. */
  abstract initialOutputs(batchSize: number | Variable): Variable;

  /** The logarithms of the probabilities (..., outputs) of all outputs that there may be, of readouts (..., readoutDim). @throws Error where they cannot be counted */
  scores(_readouts: Variable): Variable {
    throw new Error(
      `${this.uniquePath} has outputs that cannot be counted, so there are no scores of all; use a SoftmaxEmitter`,
    );
  }
}
