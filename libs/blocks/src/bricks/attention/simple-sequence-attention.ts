import { add, advancedIndex, arange, broadcastTo, constant, dimension, zeros, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import { AbstractAttention, glimpseInputs, type GlimpseInputs } from './abstract-attention.js';

/** What {@link SimpleSequenceAttention} gives. */
export type StepGlimpses = {
  /** (batch, attendedDim) */
  readonly glimpses: Variable;
  /** (batch) int64: the place of the next glimpse. */
  readonly step: Variable;
};

/**
 * Attends to a sequence from its start, one element with each step, whatever the states are (blocks-extras: `SimpleSequenceAttention`): of a sequence that is as long
 * as that which is generated, each step gets its own element. A step beyond its end is an error when the graph runs.
 */
export class SimpleSequenceAttention extends AbstractAttention {
  /** What is attended to, as it is. */
  @application({ inputs: ['attended'], outputs: ['preprocessed_attended'] })
  override preprocess(attended: Variable): Variable {
    return attended;
  }

  @application({
    inputs: (attention: SimpleSequenceAttention) => [...glimpseInputs(attention), 'step'],
    outputs: ['glimpses', 'step'],
  })
  override takeGlimpses(given: GlimpseInputs): StepGlimpses {
    const { attended, step } = given;
    if (step === undefined) {
      throw new Error(
        `${this.uniquePath}.takeGlimpses is not given step; give that of the glimpse before, or of initialGlimpses`,
      );
    }
    const glimpses = advancedIndex(attended, step, arange(0, dimension(attended, 1)));
    return { glimpses, step: add(step, constant(1, 'int64')) };
  }

  /** Zeros. */
  @application({ inputs: ['batch_size', 'attended'], outputs: ['glimpses', 'step'] })
  override initialGlimpses(batchSize: number | Variable, _attended: Variable): StepGlimpses {
    return {
      glimpses: zeros([batchSize, this.attendedDim.value]),
      step: broadcastTo(constant(0, 'int64'), [batchSize]),
    };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'step') return 0;
    return super.dimensionOf(name === 'glimpses' || name === 'preprocessed_attended' ? 'attended' : name);
  }
}
