import type { SharedVariable, Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import type { NamedVariables } from '../tagging.js';
import type { AbstractEmitter, Emission } from './abstract-emitter.js';
import type { AbstractFeedback } from './abstract-feedback.js';
import { LookupFeedback } from './lookup-feedback.js';
import { MergeReadout, type MergeReadoutOptions } from './merge-readout.js';
import { SoftmaxEmitter } from './softmax-emitter.js';
import { TrivialEmitter } from './trivial-emitter.js';
import { TrivialFeedback } from './trivial-feedback.js';

/** Options of {@link Readout}. */
export interface ReadoutOptions extends MergeReadoutOptions {
  /** What makes outputs of readouts. Default: a {@link TrivialEmitter}. */
  readonly emitter?: AbstractEmitter | undefined;
  /** What makes of outputs what the next step is told. Default: a {@link TrivialFeedback}. */
  readonly feedbackBrick?: AbstractFeedback | undefined;
}

/** A readout that merges its sources, and has an emitter and a feedback brick do the rest (Blocks: `Readout`). */
export class Readout extends MergeReadout {
  readonly emitter: AbstractEmitter;
  readonly feedbackBrick: AbstractFeedback;

  constructor(options: ReadoutOptions) {
    super(options);
    this.emitter = options.emitter ?? new TrivialEmitter();
    this.feedbackBrick = options.feedbackBrick ?? new TrivialFeedback({ outputDim: options.readoutDim });
    for (const brick of [this.emitter, this.feedbackBrick]) this.addChild(brick);
  }

  override get draws(): boolean {
    return this.emitter.draws;
  }

  override get randomState(): SharedVariable | undefined {
    return this.emitter.randomState;
  }

  @application({ inputs: ['readouts', 'random_state'], outputs: ['outputs', 'random_state'] })
  override emit(readouts: Variable, randomState?: Variable): Emission {
    return this.emitter.emit(readouts, randomState);
  }

  @application({ inputs: ['readouts', 'outputs'], outputs: ['cost'] })
  override cost(readouts: Variable, outputs: Variable): Variable {
    return this.emitter.cost(readouts, outputs);
  }

  @application({ inputs: ['batch_size'], outputs: ['outputs'] })
  override initialOutputs(batchSize: number | Variable): Variable {
    return this.emitter.initialOutputs(batchSize);
  }

  @application({ inputs: ['outputs'], outputs: ['feedback'] })
  override feedback(outputs: Variable): Variable {
    return this.feedbackBrick.feedback(outputs);
  }

  @application({ inputs: ({ sourceNames }: Readout) => sourceNames, outputs: ['scores'] })
  override scores(sources: NamedVariables): Variable {
    return this.emitter.scores(this.readout(sources));
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    this.emitter.readoutDim.value = this.readoutDim.value;
    this.#checkFeedback();
  }

  /** @throws Error where an output may come of which nothing can be fed back */
  #checkFeedback(): void {
    const { emitter, feedbackBrick } = this;
    if (!(emitter instanceof SoftmaxEmitter && feedbackBrick instanceof LookupFeedback)) return;
    const [outputs, rows] = [this.readoutDim.value, feedbackBrick.numOutputs.value];
    const needed = Math.max(outputs, emitter.initialOutput + 1);
    if (rows >= needed) return;
    throw new Error(
      `${this.uniquePath}: outputs are from 0 to ${outputs - 1}, with ${emitter.initialOutput} before the first one, and ${feedbackBrick.uniquePath} has ` +
        `rows of ${rows}; give it numOutputs of at least ${needed}, or another initialOutput`,
    );
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const brick = { outputs: this.emitter, feedback: this.feedbackBrick }[name];
    return brick?.hasDim(name) === true ? brick.getDim(name) : super.dimensionOf(name);
  }
}
