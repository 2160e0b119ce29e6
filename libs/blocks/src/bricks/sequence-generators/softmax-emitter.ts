import { argmax, broadcastTo, constant, randomMultinomial, type SharedVariable, type Variable } from '@longrun/tensor';

import type { RandomSource } from '../../initialization/random-source.js';
import { RANDOM_STATE } from '../../roles.js';
import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { NDimensionalSoftmax } from '../ndimensional-softmax.js';
import { startDraws } from '../stochastic/random.js';
import { AbstractEmitter, type Emission } from './abstract-emitter.js';

/** Options of {@link SoftmaxEmitter}. */
export interface SoftmaxEmitterOptions extends InitializableOptions {
  /** What stands for the outputs before the first one. Default 0. */
  readonly initialOutput?: number | undefined;
  /** Whether the most likely output is emitted, always, instead of one that is drawn. Default false. */
  readonly greedy?: boolean | undefined;
  /** An integer in 0..2^53-1 from which what is drawn follows, with the path of the brick. Default: that of the streams that it is initialized by. */
  readonly seed?: number | undefined;
}

/**
 * Outputs are integers, of which a softmax of the readouts gives the probabilities; one is drawn, or the most likely one is taken (Blocks:
 * `SoftmaxEmitter`). What they cost is the negative logarithm of their probability.
 *
 * State, unless it is greedy: `random_state` (3) int64 RANDOM_STATE, the key that follows from seed and path, and the number of draws so far.
 */
export class SoftmaxEmitter extends AbstractEmitter {
  override readonly readoutDim: Lazy<number> = lazy<number>(undefined, 'readoutDim');
  readonly initialOutput: number;
  readonly greedy: boolean;
  readonly seed: number | undefined;
  readonly softmax = new NDimensionalSoftmax();

  constructor(options: SoftmaxEmitterOptions = {}) {
    super(options);
    this.initialOutput = options.initialOutput ?? 0;
    if (!Number.isSafeInteger(this.initialOutput) || this.initialOutput < 0) {
      throw new RangeError(
        `${this.uniquePath}: initialOutput is ${this.initialOutput}; give the number of an output, a whole number of at least 0`,
      );
    }
    this.greedy = options.greedy ?? false;
    this.seed = options.seed;
    this.addChild(this.softmax);
  }

  override get draws(): boolean {
    return !this.greedy;
  }

  override get randomState(): SharedVariable | undefined {
    return this.draws ? this.stateNamed('random_state') : undefined;
  }

  /** Probabilities (..., readoutDim) of the outputs. */
  @application({ inputs: ['readouts'], outputs: ['probs'] })
  probs(readouts: Variable): Variable {
    return this.softmax.apply(readouts, { extraNdim: readouts.ndim - 2 });
  }

  @application({ inputs: ['readouts', 'random_state'], outputs: ['outputs', 'random_state'] })
  override emit(readouts: Variable, randomState: Variable | undefined = this.randomState): Emission {
    if (randomState === undefined) return { outputs: argmax(readouts) };
    const { values, state } = randomMultinomial(randomState, this.probs(readouts));
    return { outputs: argmax(values), random_state: state };
  }

  @application({ inputs: ['readouts', 'outputs'], outputs: ['cost'] })
  override cost(readouts: Variable, outputs: Variable): Variable {
    return this.softmax.categoricalCrossEntropy(outputs, readouts, { extraNdim: readouts.ndim - 2 });
  }

  @application({ inputs: ['batch_size'], outputs: ['outputs'] })
  override initialOutputs(batchSize: number | Variable): Variable {
    return broadcastTo(constant(this.initialOutput, 'int64'), [batchSize]);
  }

  @application({ inputs: ['readouts'], outputs: ['scores'] })
  override scores(readouts: Variable): Variable {
    return this.softmax.logProbabilities(readouts, { extraNdim: readouts.ndim - 2 });
  }

  protected override allocateParameters(): void {
    if (!this.draws) return;
    startDraws(this, this.state('random_state', [3], RANDOM_STATE, { dtype: 'int64', isPersistent: false }), this.seed);
  }

  protected override initializeParameters(random: RandomSource): void {
    if (this.randomState !== undefined) startDraws(this, this.randomState, this.seed, random);
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'outputs') return 0;
    return name === 'readouts' && this.readoutDim.isSet ? this.readoutDim.value : super.dimensionOf(name);
  }
}
