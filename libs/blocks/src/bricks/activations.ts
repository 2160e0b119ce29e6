import { logistic, rectifier, softplus, tanh, type Variable } from '@longrun/tensor';

import { application } from './application.js';
import { Brick } from './brick.js';

/** A brick that applies a function to each element (Blocks: `Activation`). */
export abstract class Activation extends Brick {
  /** `output` has the shape of `input`. */
  abstract apply(input: Variable): Variable;
}

/** `output = input` */
export class Identity extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return input;
  }
}

/** `output = tanh(input)` */
export class Tanh extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return tanh(input);
  }
}

/** `output = 1 / (1 + exp(-input))` */
export class Logistic extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return logistic(input);
  }
}

/** `output = log(1 + exp(input))` */
export class Softplus extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return softplus(input);
  }
}

/** `output = max(0, input)` */
export class Rectifier extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return rectifier(input);
  }
}
