import type { Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick } from '../brick.js';
import { Fork, type ForkOptions } from '../parallel/fork.js';
import { transformNames } from '../parallel/parallel.js';
import { sizeOf } from '../recurrent/base-recurrent.js';

/** Options of {@link Feedback}. */
export interface FeedbackOptions<Name extends string = string> extends ForkOptions<Name> {
  /** A brick with an application `apply` to outputs, whose result has the dimension `output`, such as a `LookupTable`. Default: none. */
  readonly embedding?: (Brick & { apply(outputs: Variable): Variable }) | undefined;
}

/**
 * Makes the inputs of a recurrent brick of the outputs of the step before (blocks-extras: `Feedback`): a `Fork` with an embedding before it. It is the
 * `fork` of a generator whose readout feeds back outputs as they are.
 */
export class Feedback<Name extends string = string> extends Fork<Name> {
  readonly embedding: FeedbackOptions['embedding'];

  constructor(options: FeedbackOptions<Name>) {
    super(options);
    this.embedding = options.embedding;
    if (this.embedding !== undefined) this.addChild(this.embedding);
  }

  @application({ inputs: ['outputs'], outputs: transformNames })
  override apply(outputs: Variable): Readonly<Record<Name, Variable>> {
    return super.apply(this.embedding === undefined ? outputs : this.embedding.apply(outputs));
  }

  protected override pushAllocation(): void {
    if (this.embedding !== undefined) this.inputDim.value = sizeOf(this.embedding, 'output');
    super.pushAllocation();
  }
}
