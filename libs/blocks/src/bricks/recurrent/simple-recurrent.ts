import { add, dot, type SharedVariable, type Variable } from '@longrun/tensor';

import { Constant } from '../../initialization/constant.js';
import type { RandomSource } from '../../initialization/random-source.js';
import { INITIAL_STATE, WEIGHT } from '../../roles.js';
import type { Activation } from '../activations.js';
import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { BaseRecurrent, statesOf } from './base-recurrent.js';
import type { RecurrentCallOptions } from './call-options.js';
import { recurrent } from './recurrent.js';
import { masked, repeated } from './transition.js';

/** Options of {@link SimpleRecurrent}. */
export interface SimpleRecurrentOptions extends InitializableOptions {
  /** Size of the state. May be set later. */
  readonly dim?: number | undefined;
  /** What is applied to each new state. */
  readonly activation: Activation;
}

/** What {@link SimpleRecurrent} takes. */
export type SimpleRecurrentInputs = {
  /** (time, batch, dim) */
  readonly inputs: Variable;
  /** (batch, dim), before the first step. Default: the learned initial state. */
  readonly states?: Variable | undefined;
  /** (time, batch): 0 where a step leaves the state as it is. Default: 1 everywhere. */
  readonly mask?: Variable | undefined;
};

/**
 * The traditional recurrent network: `states' = activation(inputs + states · W)`. There is no bias, as what makes the inputs has one.
 *
 * Parameters: `W` (dim, dim) WEIGHT; `initial_state` (dim) INITIAL_STATE, zeros at first.
 */
export class SimpleRecurrent extends BaseRecurrent {
  readonly dim: Lazy<number>;
  readonly activation: Activation;

  constructor(options: SimpleRecurrentOptions) {
    super(options);
    this.dim = lazy(options.dim, 'dim');
    this.activation = options.activation;
    this.addChild(this.activation);
  }

  /** The weights. Throws before `allocate()`. */
  get W(): SharedVariable {
    return this.parameterNamed('W');
  }

  /** `states` (time, batch, dim). */
  apply(given: SimpleRecurrentInputs, options?: RecurrentCallOptions): { readonly states: Variable };
  @recurrent({ sequences: ['inputs', 'mask'], states: ['states'], contexts: [], outputs: ['states'] })
  apply({ inputs, states, mask }: SimpleRecurrentInputs & { readonly states: Variable }): {
    readonly states: Variable;
  } {
    const next = this.activation.apply(add(inputs, dot(states, this.W)));
    return { states: masked(next, states, mask) };
  }

  @application({ inputs: ['batch_size'], outputs: statesOf })
  override initialStates(batchSize: number | Variable): { readonly states: Variable } {
    return { states: repeated(this.parameterNamed('initial_state'), batchSize) };
  }

  protected override allocateParameters(): void {
    this.parameter('W', [this.dim.value, this.dim.value], WEIGHT);
    this.parameter('initial_state', [this.dim.value], INITIAL_STATE);
  }

  protected override initializeParameters(random: RandomSource): void {
    this.required(this.weightsInit, 'weightsInit').initialize(this.W, this.randomFor(this.W, random));
    const initial = this.parameterNamed('initial_state');
    new Constant(0).initialize(initial, this.randomFor(initial, random));
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'mask') return 0;
    if ((name === 'inputs' || name === 'states') && this.dim.isSet) return this.dim.value;
    return super.dimensionOf(name);
  }
}
