import { add, type SharedVariable, type Variable } from '@longrun/tensor';

import type { RandomSource } from '../initialization/random-source.js';
import { BIAS } from '../roles.js';
import { application } from './application.js';
import type { Dimension } from './brick.js';
import type { Feedforward } from './feedforward.js';
import { Initializable, type InitializableOptions } from './initializable.js';
import { lazy, type Lazy } from './lazy.js';

/** Options of {@link Bias}. */
export interface BiasOptions extends InitializableOptions {
  /** Size of the last axis. May be set later. */
  readonly dim?: number | undefined;
}

/**
 * Adds a bias to the last axis: `output = input + b`.
 *
 * Parameters: `b` (dim) BIAS.
 */
export class Bias extends Initializable implements Feedforward {
  readonly dim: Lazy<number>;

  constructor(options: BiasOptions = {}) {
    super(options);
    this.dim = lazy(options.dim, 'dim');
  }

  get inputDim(): Lazy<number> {
    return this.dim;
  }

  get outputDim(): Lazy<number> {
    return this.dim;
  }

  /** The bias. Throws before `allocate()`. */
  get b(): SharedVariable {
    return this.parameterNamed('b');
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    return add(input, this.b);
  }

  protected override allocateParameters(): void {
    this.parameter('b', [this.dim.value], BIAS);
  }

  protected override initializeParameters(random: RandomSource): void {
    this.required(this.biasesInit, 'biasesInit').initialize(this.b, this.randomFor(this.b, random));
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    return (name === 'input' || name === 'output') && this.dim.isSet ? this.dim.value : super.dimensionOf(name);
  }
}
