import { dimension, div, isKnown, mul, randomBinomial, type Variable } from '@longrun/tensor';

import { addRole, DROPOUT } from '../../roles.js';
import { application } from '../application.js';
import { isInTrainingMode } from '../training-mode.js';
import { Random, type RandomOptions } from './random.js';

/** Options of {@link Dropout}. */
export interface DropoutBrickOptions extends RandomOptions {
  /** How likely an element is set to 0: from 0 to below 1. */
  readonly dropProbability: number;
  /** Along these axes all elements are kept or dropped together: `[0]` drops the same ones in each step of a sequence `(time, batch, dim)`. Default none. */
  readonly sharedAxes?: readonly number[] | undefined;
}

/**
 * Sets elements of its input to 0 in training, each with the same probability and by itself, and divides the others by the probability with which they are kept,
 * so that means stay (Srivastava et al., 2014). In evaluation it gives what it was given. Training is where the graph was built so: by
 * `trainingMode(bricks, build)` or `applyTrainingMode(graph)`; what stands for the output there is computed from a variable with the role DROPOUT.
 *
 * Within a step of a scan it is for evaluation only: apply it to sequences before the scan, with `sharedAxes: [0]` for one mask for all steps.
 */
export class Dropout extends Random {
  readonly dropProbability: number;
  readonly sharedAxes: readonly number[];

  /** @throws Error for a probability that is none, or of 1 */
  constructor(options: DropoutBrickOptions) {
    super(options);
    const { dropProbability, sharedAxes = [] } = options;
    if (!(dropProbability >= 0 && dropProbability < 1)) {
      throw new Error(`${this.name}: dropProbability is ${dropProbability}; give one from 0 to below 1`);
    }
    this.dropProbability = dropProbability;
    this.sharedAxes = [...sharedAxes];
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    return this.droppedInTraining(input, input);
  }

  /**
   * `value` as it is in training: with dropped elements.
   *
   * @param input what the application was given
   * @throws Error where `value` is no float, or within a step of a scan
   */
  dropped(value: Variable, input: Variable): Variable {
    const kept = 1 - this.dropProbability;
    const result = div(mul(value, this.maskFor(value, input, kept)), kept);
    addRole(result, DROPOUT);
    return result;
  }

  /** What an application gives that computed `value`. */
  protected droppedInTraining(value: Variable, input: Variable): Variable {
    return isInTrainingMode(this, 'dropout') ? this.dropped(value, input) : value;
  }

  /** 1 where `value` is kept, which is as likely as `kept` says, and 0 elsewhere. For overriding. */
  protected maskFor(value: Variable, _input: Variable, kept: number): Variable {
    const wrong = this.sharedAxes.find((axis) => !Number.isInteger(axis) || axis < 0 || axis >= value.ndim);
    if (wrong !== undefined) {
      throw new Error(
        `${this.uniquePath}: sharedAxes has ${wrong}, but ${value.toString()} has the axes 0 to ${value.ndim - 1}`,
      );
    }
    const sizes = value.shape.map((size, axis) => {
      if (this.sharedAxes.includes(axis)) return 1;
      return isKnown(size) ? size : dimension(value, axis);
    });
    return this.mask(value, sizes, kept);
  }

  /** Zeros and ones of the dtype of `value`. */
  protected mask(value: Variable, sizes: readonly (number | Variable)[], kept: number): Variable {
    const { dtype } = value;
    if (dtype !== 'float32' && dtype !== 'float64') {
      throw new Error(`${this.uniquePath}: ${value.toString()} is ${dtype}; only floats can be dropped`);
    }
    return this.draw((state) => randomBinomial(state, sizes, { p: kept, dtype }));
  }
}
