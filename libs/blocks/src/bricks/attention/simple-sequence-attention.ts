import { add, mul, sum, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import { glimpseInputs, type GlimpseInputs } from './abstract-attention.js';
import { GenericSequenceAttention } from './generic-sequence-attention.js';

/**
 * Attends to those elements of a sequence that point where the states point: the energies are the inner products of an element with each of the states
 * (blocks-extras: `SimpleSequenceAttention`). There are no parameters; the states have the size of the elements.
 */
export class SimpleSequenceAttention extends GenericSequenceAttention {
  /** What is attended to, as it is. */
  @application({ inputs: ['attended'], outputs: ['preprocessed_attended'] })
  override preprocess(attended: Variable): Variable {
    return attended;
  }

  @application({ inputs: glimpseInputs, outputs: ['energies'] })
  override computeEnergies(given: GlimpseInputs): Variable {
    const states = this.stateNames.flatMap((name) => given[name] ?? []);
    const [first, ...more] = states;
    if (first === undefined || states.length < this.stateNames.length) {
      throw new Error(`${this.uniquePath}.computeEnergies: give a variable for each of ${this.stateNames.join(', ')}`);
    }
    const query = more.reduce((total, state) => add(total, state), first);
    return sum(mul(given.attended, query), { axis: 2 });
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    const dim = this.attendedDim.value;
    const other = this.stateDims.findIndex(({ value }) => value !== dim);
    if (other < 0) return;
    throw new Error(
      `${this.uniquePath}: the state ${this.stateNames[other]} has the size ${this.stateDims[other]?.value} but what is attended to has ${dim}; ` +
        'give states and attended elements of one size, or use SequenceContentAttention',
    );
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    return super.dimensionOf(name === 'preprocessed_attended' ? 'attended' : name);
  }
}
