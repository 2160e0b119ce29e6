import type { Variable } from '@longrun/tensor';

import { application } from './application.js';
import type { Brick, Dimension } from './brick.js';
import { isFeedforward, type Feedforward } from './feedforward.js';
import type { Lazy } from './lazy.js';
import { firstInputs, lastOutputs, Sequence } from './sequence.js';

/** A {@link Sequence} of one input and one output, whose dimensions are those of its first and last feedforward bricks. */
export class FeedforwardSequence extends Sequence implements Feedforward {
  get inputDim(): Lazy<number> {
    return this.#feedforward(this.children.find(isFeedforward)).inputDim;
  }

  get outputDim(): Lazy<number> {
    return this.#feedforward(this.children.findLast(isFeedforward)).outputDim;
  }

  @application({ inputs: firstInputs, outputs: lastOutputs })
  override apply(input: Variable): Variable {
    return this.chainToOne(input);
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const inputs = this.applicationMethods[0];
    const outputs = this.applicationMethods.at(-1);
    if (inputs?.inputs?.includes(name) === true && inputs.brick.hasDim(name)) return inputs.brick.getDim(name);
    if (outputs?.outputs?.includes(name) === true && outputs.brick.hasDim(name)) return outputs.brick.getDim(name);
    return super.dimensionOf(name);
  }

  #feedforward(brick: (Brick & Feedforward) | undefined): Feedforward {
    if (brick !== undefined) return brick;
    throw new Error(`${this.uniquePath} has no brick with dimensions among its children`);
  }
}
