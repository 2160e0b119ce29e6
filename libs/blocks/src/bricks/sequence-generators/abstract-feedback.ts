import type { Variable } from '@longrun/tensor';

import { Initializable } from '../initializable.js';

/** Turns outputs into what the next step gets of them (Blocks: `AbstractFeedback`). */
export abstract class AbstractFeedback extends Initializable {
  /** Of outputs (..., ) what the recurrent brick, and the readout of the next step, are told of them. */
  abstract feedback(outputs: Variable): Variable;
}
