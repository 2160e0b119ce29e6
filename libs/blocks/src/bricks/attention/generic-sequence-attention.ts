import {
  add,
  all,
  cast,
  dimension,
  dimshuffle,
  div,
  eq,
  exp,
  max,
  mul,
  neq,
  stopGradient,
  sub,
  sum,
  transpose,
  where,
  zeros,
  type Variable,
} from '@longrun/tensor';

import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import { AbstractAttention, glimpseInputs, type GlimpseInputs } from './abstract-attention.js';

/** What a sequence attention gives. */
export type SequenceGlimpses = {
  /** (batch, attendedDim) */
  readonly weighted_averages: Variable;
  /** (batch, attended time), each row of sum 1, or 0 where there is nothing to see. */
  readonly weights: Variable;
};

/**
 * Attends to a sequence (Blocks: `GenericSequenceAttention`): a glimpse is the average of its elements, by weights that are a softmax of the energies
 * that a subclass computes.
 */
export abstract class GenericSequenceAttention extends AbstractAttention {
  /** The energies (attended time, batch) of the elements, of what {@link takeGlimpses} takes. */
  abstract computeEnergies(given: GlimpseInputs): Variable;

  /**
   * Weights (attended time, batch) of which those of one example add up to 1, or are all 0 where the mask is.
   *
   * @param energies (attended time, batch)
   * @param mask of the same shape
   */
  @application({ inputs: ['energies', 'attended_mask'], outputs: ['weights'] })
  computeWeights(energies: Variable, mask?: Variable): Variable {
    if (mask === undefined) return normalized(exp(belowZero(energies)));
    const seen = neq(mask, 0);
    const powers = mul(exp(belowZero(where(seen, energies, NOTHING))), cast(mask, energies.dtype));
    const isNothing = cast(all(eq(mask, 0), { axis: 0, keepdims: true }), energies.dtype);
    return normalized(powers, isNothing);
  }

  /** The averages (batch, dim) of (attended time, batch, dim) by weights (attended time, batch). */
  @application({ inputs: ['weights', 'attended'], outputs: ['weighted_averages'] })
  computeWeightedAverages(weights: Variable, attended: Variable): Variable {
    return sum(mul(dimshuffle(weights, [0, 1, 'x']), attended), { axis: 0 });
  }

  @application({ inputs: glimpseInputs, outputs: ['weighted_averages', 'weights'] })
  override takeGlimpses(given: GlimpseInputs): SequenceGlimpses {
    const weights = this.computeWeights(this.computeEnergies(given), given['attended_mask']);
    return { weighted_averages: this.computeWeightedAverages(weights, given.attended), weights: transpose(weights) };
  }

  /** Zeros. */
  @application({ inputs: ['batch_size', 'attended'], outputs: ['weighted_averages', 'weights'] })
  override initialGlimpses(batchSize: number | Variable, attended: Variable): SequenceGlimpses {
    return {
      weighted_averages: zeros([batchSize, this.attendedDim.value]),
      weights: zeros([batchSize, dimension(attended, 0)]),
    };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'weighted_averages' && this.attendedDim.isSet) return this.attendedDim.value;
    return name === 'weights' ? 0 : super.dimensionOf(name);
  }
}

/** Energies less the largest of each example, so that no power overflows. Weights do not depend on it, nor do gradients. */
function belowZero(energies: Variable): Variable {
  return sub(energies, stopGradient(max(energies, { axis: 0, keepdims: true })));
}

function normalized(powers: Variable, besides?: Variable): Variable {
  const total = sum(powers, { axis: 0, keepdims: true });
  return div(powers, besides === undefined ? total : add(total, besides));
}

/** Lower than any energy, and finite, so that no difference is NaN. */
const NOTHING = -1e30;
