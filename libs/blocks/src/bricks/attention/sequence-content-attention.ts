import { add, at, dimension, reshape, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick, Dimension } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import { lazy, type Lazy } from '../lazy.js';
import { Linear } from '../linear.js';
import { Parallel } from '../parallel/parallel.js';
import { pick } from '../recurrent/given-variables.js';
import { glimpseInputs, type AttentionOptions, type GlimpseInputs } from './abstract-attention.js';
import { GenericSequenceAttention } from './generic-sequence-attention.js';
import { ShallowEnergyComputer } from './shallow-energy-computer.js';

/** Options of {@link SequenceContentAttention}. */
export interface SequenceContentAttentionOptions extends AttentionOptions {
  /** Size of the match vectors. May be set later. */
  readonly matchDim?: number | undefined;
  /** What is copied to make match vectors of each state. Default: a `Linear` without a bias. */
  readonly stateTransformer?: (Brick & Feedforward) | undefined;
  /** What makes match vectors of what is attended to. Default: a `Linear` named `preprocess`. */
  readonly attendedTransformer?: (Brick & Feedforward) | undefined;
  /** What makes energies, of size 1, of the sums of the match vectors. Default: a {@link ShallowEnergyComputer} named `energy_comp`. */
  readonly energyComputer?: (Brick & Feedforward) | undefined;
}

/**
 * Attends to those elements of a sequence whose content goes with the states (Bahdanau et al., 2015; Blocks: `SequenceContentAttention`):
 * `energies = energyComputer(attendedTransformer(attended) + stateTransformer(state) + ...)`.
 *
 * Children: `state_trans`, `preprocess`, `energy_comp`.
 */
export class SequenceContentAttention extends GenericSequenceAttention {
  readonly matchDim: Lazy<number>;
  readonly stateTransformers: Parallel;
  readonly attendedTransformer: Brick & Feedforward;
  readonly energyComputer: Brick & Feedforward;

  constructor(options: SequenceContentAttentionOptions) {
    super(options);
    this.matchDim = lazy(options.matchDim, 'matchDim');
    this.stateTransformers = new Parallel({
      name: 'state_trans',
      inputNames: this.stateNames,
      prototype: options.stateTransformer ?? new Linear({ useBias: false }),
    });
    this.attendedTransformer = options.attendedTransformer ?? new Linear({ name: 'preprocess' });
    this.energyComputer = options.energyComputer ?? new ShallowEnergyComputer({ name: 'energy_comp' });
    for (const brick of [this.stateTransformers, this.attendedTransformer, this.energyComputer]) this.addChild(brick);
  }

  @application({ inputs: ['attended'], outputs: ['preprocessed_attended'] })
  override preprocess(attended: Variable): Variable {
    return this.attendedTransformer.apply(attended);
  }

  @application({ inputs: glimpseInputs, outputs: ['energies'] })
  override computeEnergies(given: GlimpseInputs): Variable {
    const preprocessed = given['preprocessed_attended'] ?? this.preprocess(given.attended);
    const states = Object.values(this.stateTransformers.apply(pick(given, this.stateNames)));
    const matches = states.reduce((total, state) => add(total, state), preprocessed);
    return reshape(this.energyComputer.apply(matches), [dimension(matches, 0), dimension(matches, 1)]);
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    const { stateTransformers, attendedTransformer, energyComputer } = this;
    for (const [place, dim] of this.stateDims.entries()) {
      at(stateTransformers.inputDims, place).value = dim.value;
      at(stateTransformers.outputDims, place).value = this.matchDim.value;
    }
    attendedTransformer.inputDim.value = this.attendedDim.value;
    attendedTransformer.outputDim.value = this.matchDim.value;
    energyComputer.inputDim.value = this.matchDim.value;
    energyComputer.outputDim.value = 1;
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'preprocessed_attended' && this.matchDim.isSet) return this.matchDim.value;
    return super.dimensionOf(name);
  }
}
