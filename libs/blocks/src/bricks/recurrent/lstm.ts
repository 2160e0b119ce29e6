import { add, dot, mul, slice, type SharedVariable, type Variable } from '@longrun/tensor';

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
import { recurrent } from './recurrent.js';
import { masked, repeated } from './transition.js';

/** Options of {@link LSTM}. */
export interface LSTMOptions extends InitializableOptions {
  /** Size of the states and of the cells. May be set later. */
  readonly dim?: number | undefined;
  /** What is applied to the cells. Default: a `Tanh`. */
  readonly activation?: Activation | undefined;
  /** What is applied to the gates. Default: a `Logistic`. */
  readonly gateActivation?: Activation | undefined;
}

/** What {@link LSTM} takes. */
export type LSTMInputs = {
  /** (time, batch, 4 · dim): for the input gate, the forget gate, the cells and the output gate, in this order. */
  readonly inputs: Variable;
  /** (batch, dim), before the first step. Default: the learned initial state. */
  readonly states?: Variable | undefined;
  /** (batch, dim), before the first step. Default: the learned initial cells. */
  readonly cells?: Variable | undefined;
  /** (time, batch): 0 where a step leaves states and cells as they are. Default: 1 everywhere. */
  readonly mask?: Variable | undefined;
};

/** States and cells, each (time, batch, dim). */
export type LSTMStates = { readonly states: Variable; readonly cells: Variable };

/**
 * Long short-term memory (Hochreiter and Schmidhuber, 1997) with peepholes, as in Graves (2013): the gates see the cells, those of input and
 * forgetting before the step, that of the output after it. There is no bias, as what makes the inputs has one.
 *
 * Parameters: `W_state` (dim, 4 · dim) WEIGHT; `W_cell_to_in`, `W_cell_to_forget`, `W_cell_to_out` (dim) WEIGHT; `initial_state`,
 * `initial_cells` (dim) INITIAL_STATE, zeros at first.
 */
export class LSTM extends BaseRecurrent {
  readonly dim: Lazy<number>;
  readonly activation: Activation;
  readonly gateActivation: Activation;

  constructor(options: LSTMOptions = {}) {
    super(options);
    this.dim = lazy(options.dim, 'dim');
    this.activation = options.activation ?? new Tanh();
    this.gateActivation = options.gateActivation ?? new Logistic();
    for (const brick of new Set([this.activation, this.gateActivation])) this.addChild(brick);
  }

  /** The weights from the states. Throws before `allocate()`. */
  get wState(): SharedVariable {
    return this.parameterNamed('W_state');
  }

  apply(given: LSTMInputs, options?: RecurrentCallOptions): LSTMStates;
  @recurrent({ sequences: ['inputs', 'mask'], states: ['states', 'cells'], contexts: [], outputs: ['states', 'cells'] })
  apply({ inputs, states, cells, mask }: LSTMInputs & LSTMStates): LSTMStates {
    const sums = add(dot(states, this.wState), inputs);
    const inGate = this.#gate(sums, 0, cells, 'W_cell_to_in');
    const forgetGate = this.#gate(sums, 1, cells, 'W_cell_to_forget');
    const candidates = this.activation.apply(this.#part(sums, 2));
    const nextCells = add(mul(forgetGate, cells), mul(inGate, candidates));
    const outGate = this.#gate(sums, 3, nextCells, 'W_cell_to_out');
    const nextStates = mul(outGate, this.activation.apply(nextCells));
    return { states: masked(nextStates, states, mask), cells: masked(nextCells, cells, mask) };
  }

  @application({ inputs: ['batch_size'], outputs: statesOf })
  override initialStates(batchSize: number | Variable): LSTMStates {
    return {
      states: repeated(this.parameterNamed('initial_state'), batchSize),
      cells: repeated(this.parameterNamed('initial_cells'), batchSize),
    };
  }

  protected override allocateParameters(): void {
    const dim = this.dim.value;
    this.parameter('W_state', [dim, 4 * dim], WEIGHT);
    for (const name of PEEPHOLES) this.parameter(name, [dim], WEIGHT);
    for (const name of INITIAL_STATES) this.parameter(name, [dim], INITIAL_STATE);
  }

  protected override initializeParameters(random: RandomSource): void {
    const weightsInit = this.required(this.weightsInit, 'weightsInit');
    for (const parameter of this.parameters) {
      const isInitial = INITIAL_STATES.some((name) => name === parameter.name);
      (isInitial ? new Constant(0) : weightsInit).initialize(parameter, this.randomFor(parameter, random));
    }
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'mask') return 0;
    if (!this.dim.isSet) return super.dimensionOf(name);
    if (name === 'inputs') return 4 * this.dim.value;
    return name === 'states' || name === 'cells' ? this.dim.value : super.dimensionOf(name);
  }

  #gate(sums: Variable, part: number, cells: Variable, peephole: (typeof PEEPHOLES)[number]): Variable {
    return this.gateActivation.apply(add(this.#part(sums, part), mul(cells, this.parameterNamed(peephole))));
  }

  #part(sums: Variable, part: number): Variable {
    const dim = this.dim.value;
    return slice(sums, part * dim, (part + 1) * dim, { axis: -1 });
  }
}

const PEEPHOLES = ['W_cell_to_in', 'W_cell_to_forget', 'W_cell_to_out'] as const;
const INITIAL_STATES = ['initial_state', 'initial_cells'] as const;
