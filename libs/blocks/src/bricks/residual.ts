import { add, type Variable } from '@longrun/tensor';

import { application } from './application.js';
import { firstInputs, lastOutputs, Sequence } from './sequence.js';

/** A {@link Sequence} to whose result its input is added (He et al., 2016); both have the same shape. */
export class Residual extends Sequence {
  @application({ inputs: firstInputs, outputs: lastOutputs })
  override apply(input: Variable): Variable {
    return add(input, this.chainToOne(input));
  }
}
