import { add, dot, mul, slice, sub, type SharedVariable, type Variable } from '@longrun/tensor';

import { Constant } from '../../initialization/constant.js';
import type { RandomSource } from '../../initialization/random-source.js';
import { INITIAL_STATE, WEIGHT } from '../../roles.js';
import { Logistic, Tanh, type Activation } from '../activations.js';
import { application } from '../application.js';
import type { Dimension } from '../brick.js';
import type { InitializableOptions } from '../initializable.js';
import { lazy, type Lazy } from '../lazy.js';
import { BaseRecurrent, statesOf } from './base-recurrent.js';
import type { RecurrentCallOptions } from './call-options.js';
import { ColumnBlocks } from './column-blocks.js';
import { recurrent } from './recurrent.js';
import { masked, repeated } from './transition.js';

/** Options of {@link GatedRecurrent}. */
export interface GatedRecurrentOptions extends InitializableOptions {
  /** Size of the state. May be set later. */
  readonly dim?: number | undefined;
  /** What is applied to the candidates for the next state. Default: a `Tanh`. */
  readonly activation?: Activation | undefined;
  /** What is applied to the gates. Default: a `Logistic`. */
  readonly gateActivation?: Activation | undefined;
}

/** What {@link GatedRecurrent} takes. */
export type GatedRecurrentInputs = {
  /** (time, batch, dim) */
  readonly inputs: Variable;
  /** (time, batch, 2 · dim): for the update gate and the reset gate, in this order. */
  readonly gate_inputs: Variable;
  /** (batch, dim), before the first step. Default: the learned initial state. */
  readonly states?: Variable | undefined;
  /** (time, batch): 0 where a step leaves the state as it is. Default: 1 everywhere. */
  readonly mask?: Variable | undefined;
};

/**
 * The gated recurrent unit (Cho et al., 2014): `states' = candidates · update + states · (1 - update)`, the candidates being made of the states
 * that the reset gate lets through. There is no bias, as what makes the inputs has one.
 *
 * Parameters: `state_to_state` (dim, dim) and `state_to_gates` (dim, 2 · dim) WEIGHT; `initial_state` (dim) INITIAL_STATE, zeros at first.
 */
export class GatedRecurrent extends BaseRecurrent {
  readonly dim: Lazy<number>;
  readonly activation: Activation;
  readonly gateActivation: Activation;

  constructor(options: GatedRecurrentOptions = {}) {
    super(options);
    this.dim = lazy(options.dim, 'dim');
    this.activation = options.activation ?? new Tanh();
    this.gateActivation = options.gateActivation ?? new Logistic();
    for (const brick of new Set([this.activation, this.gateActivation])) this.addChild(brick);
  }

  /** The weights from the states to the candidates. Throws before `allocate()`. */
  get stateToState(): SharedVariable {
    return this.parameterNamed('state_to_state');
  }

  /** The weights from the states to both gates. Throws before `allocate()`. */
  get stateToGates(): SharedVariable {
    return this.parameterNamed('state_to_gates');
  }

  /** `states` (time, batch, dim). */
  apply(given: GatedRecurrentInputs, options?: RecurrentCallOptions): { readonly states: Variable };
  @recurrent({ sequences: ['mask', 'inputs', 'gate_inputs'], states: ['states'], contexts: [], outputs: ['states'] })
  apply(given: GatedRecurrentInputs & { readonly states: Variable }): { readonly states: Variable } {
    const { inputs, gate_inputs: gateInputs, states, mask } = given;
    const dim = this.dim.value;
    const gates = this.gateActivation.apply(add(dot(states, this.stateToGates), gateInputs));
    const [update, reset] = [slice(gates, 0, dim, { axis: -1 }), slice(gates, dim, 2 * dim, { axis: -1 })];
    const candidates = this.activation.apply(add(dot(mul(states, reset), this.stateToState), inputs));
    const next = add(mul(candidates, update), mul(states, sub(1, update)));
    return { states: masked(next, states, mask) };
  }

  @application({ inputs: ['batch_size'], outputs: statesOf })
  override initialStates(batchSize: number | Variable): { readonly states: Variable } {
    return { states: repeated(this.parameterNamed('initial_state'), batchSize) };
  }

  protected override allocateParameters(): void {
    const dim = this.dim.value;
    this.parameter('state_to_state', [dim, dim], WEIGHT);
    this.parameter('state_to_gates', [dim, 2 * dim], WEIGHT);
    this.parameter('initial_state', [dim], INITIAL_STATE);
  }

  protected override initializeParameters(random: RandomSource): void {
    const weightsInit = this.required(this.weightsInit, 'weightsInit');
    weightsInit.initialize(this.stateToState, this.randomFor(this.stateToState, random));
    new ColumnBlocks(weightsInit, 2).initialize(this.stateToGates, this.randomFor(this.stateToGates, random));
    const initial = this.parameterNamed('initial_state');
    new Constant(0).initialize(initial, this.randomFor(initial, random));
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'mask') return 0;
    if (!this.dim.isSet) return super.dimensionOf(name);
    if (name === 'gate_inputs') return 2 * this.dim.value;
    return name === 'inputs' || name === 'states' ? this.dim.value : super.dimensionOf(name);
  }
}
