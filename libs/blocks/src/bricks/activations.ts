import {
  elu,
  gelu,
  leakyRectifier,
  logistic,
  mul,
  rectifier,
  softplus,
  softsign,
  tanh,
  type Variable,
} from '@longrun/tensor';

import { application } from './application.js';
import { Brick, type BrickOptions } from './brick.js';

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

/** `output = x / (1 + |x|)` */
export class Softsign extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return softsign(input);
  }
}

/** Options of {@link LeakyRectifier}. */
export interface LeakyRectifierOptions extends BrickOptions {
  /** The slope below 0. Default 0.01. */
  readonly leak?: number | undefined;
}

/** `output = input` above 0, else `leak * input` */
export class LeakyRectifier extends Activation {
  readonly leak: number;

  constructor(options: LeakyRectifierOptions = {}) {
    super(options);
    this.leak = options.leak ?? 0.01;
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return leakyRectifier(input, this.leak);
  }
}

/** `output = input * Phi(input)`, with the distribution function of normal numbers (Hendrycks and Gimpel, 2016). */
export class Gelu extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return gelu(input);
  }
}

/** `output = input / (1 + exp(-input))`, called Swish, too (Elfwing et al., 2018). */
export class Silu extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return mul(input, logistic(input));
  }
}

/** `output = input` above 0, else `exp(input) - 1` (Clevert et al., 2016). */
export class Elu extends Activation {
  @application({ inputs: ['input'], outputs: ['output'] })
  override apply(input: Variable): Variable {
    return elu(input);
  }
}
