import type { BrickOptions } from '../brick.js';
import type { MergeReadoutOptions } from './merge-readout.js';
import { Readout } from './readout.js';
import { SoftmaxEmitter, type SoftmaxEmitterOptions } from './softmax-emitter.js';
import { TrivialFeedback } from './trivial-feedback.js';

/** Options of {@link SoftmaxReadout}. */
export interface SoftmaxReadoutOptions
  extends Omit<MergeReadoutOptions, 'readoutDim'>, Pick<SoftmaxEmitterOptions, 'initialOutput' | 'greedy' | 'seed'> {
  /** How many outputs there may be. */
  readonly numTokens: number;
}

/**
 * A readout of integer outputs, which are fed back as they are (blocks-extras: `SoftmaxReadout`): a `Readout` with a {@link SoftmaxEmitter}, for a generator
 * with a {@link Feedback}.
 */
export class SoftmaxReadout extends Readout {
  readonly #options: SoftmaxReadoutOptions;

  constructor(options: SoftmaxReadoutOptions) {
    const { numTokens, initialOutput, greedy, seed, ...rest } = options;
    super({
      ...rest,
      readoutDim: numTokens,
      emitter: new SoftmaxEmitter({ initialOutput, greedy, seed }),
      feedbackBrick: new TrivialFeedback({ outputDim: 0 }),
    });
    this.#options = options;
  }

  protected override constructorArguments({ name }: BrickOptions): readonly unknown[] {
    return [{ ...this.#options, name }];
  }
}
