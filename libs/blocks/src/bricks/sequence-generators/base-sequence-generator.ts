import {
  at,
  cast,
  concatenate,
  dimension,
  div,
  expandDims,
  identity,
  index,
  mean,
  slice,
  sum,
  type Variable,
} from '@longrun/tensor';

import { COST } from '../../roles.js';
import { application } from '../application.js';
import { currentCall } from '../application-call.js';
import {
  glimpsesOf,
  type AbstractAttentionRecurrent,
  type GivenVariables,
} from '../attention/abstract-attention-recurrent.js';
import type { Dimension } from '../brick.js';
import { Initializable, type InitializableOptions } from '../initializable.js';
import type { Fork } from '../parallel/fork.js';
import { sizeOf } from '../recurrent/base-recurrent.js';
import type { RecurrentCallOptions } from '../recurrent/call-options.js';
import { givenVariables, pick } from '../recurrent/given-variables.js';
import { recurrent } from '../recurrent/recurrent.js';
import type { NamedVariables } from '../tagging.js';
import type { AbstractReadout } from './abstract-readout.js';

/** Options of {@link BaseSequenceGenerator}. */
export interface BaseSequenceGeneratorOptions extends InitializableOptions {
  /** What makes outputs of states, glimpses and contexts. */
  readonly readout: AbstractReadout;
  /** What makes the states and takes the glimpses. */
  readonly transition: AbstractAttentionRecurrent;
  /** What makes the inputs of the transition of what is fed back. */
  readonly fork: Fork;
}

/** What {@link BaseSequenceGenerator.costMatrix} takes, by name: besides these the contexts and, in place of the initial ones, states. */
export type CostInputs = GivenVariables & {
  /** (time, batch, ...) */
  readonly outputs: Variable;
  /** (time, batch): 0 from the end of a sequence on. Default: 1 everywhere. */
  readonly mask?: Variable | undefined;
};

/**
 * Generates sequences, and tells what given ones cost (Blocks: `BaseSequenceGenerator`). A step takes glimpses by the states before it, makes a readout of
 * states, glimpses, contexts and the output before, emits an output, and computes the next states of it.
 *
 * Children: the readout, the fork, the transition.
 */
export class BaseSequenceGenerator extends Initializable {
  readonly readout: AbstractReadout;
  readonly transition: AbstractAttentionRecurrent;
  readonly fork: Fork;

  constructor(options: BaseSequenceGeneratorOptions) {
    super(options);
    this.readout = options.readout;
    this.transition = options.transition;
    this.fork = options.fork;
    for (const brick of [this.readout, this.fork, this.transition]) this.addChild(brick);
  }

  /** The states of the transition, which do not include the glimpses. */
  get stateNames(): readonly string[] {
    return this.transition.application('computeStates').outputs ?? [];
  }

  /** The glimpses that each step takes. */
  get glimpseNames(): readonly string[] {
    return glimpsesOf(this.transition);
  }

  /** What is the same in all steps. */
  get contextNames(): readonly string[] {
    return this.transition.application('apply').contexts;
  }

  /**
   * Scalar: what a sequence costs on average, the sum over its elements.
   *
   * Auxiliary: `per_sequence_element`, what an element costs on average, and what {@link costMatrix} has.
   */
  @application({ inputs: costInputs, outputs: ['cost'], outputRoles: [COST] })
  cost(given: CostInputs): Variable {
    const costs = this.costMatrix(given);
    const { mask } = given;
    const perElement = mask === undefined ? mean(costs) : div(sum(costs), sum(cast(mask, costs.dtype)));
    currentCall().addAuxiliaryVariable(perElement, { name: 'per_sequence_element' });
    return mean(sum(costs, { axis: 0 }));
  }

  /**
   * What each element of the outputs costs (time, batch), those before it being given; 0 where the mask is.
   *
   * Auxiliary: states and glimpses by their names, as they were when the output was made (time, batch, ...), and `<name>_final_value` of each, to go on from
   * in the next batch.
   */
  @application({ inputs: costInputs, outputs: ['costs'] })
  costMatrix(given: CostInputs): Variable {
    const variables = givenVariables(currentCall().application, given);
    const { outputs, mask } = given;
    const contexts = pick(variables, this.contextNames);
    const feedback = this.readout.feedback(outputs);
    const results = this.transition.apply(
      {
        ...this.fork.apply(feedback),
        ...pick(variables, [...this.stateNames, ...this.glimpseNames]),
        ...contexts,
        ...(mask === undefined ? {} : { mask }),
      },
      { returnInitialStates: true },
    );
    // Glimpses are taken before an output is made, states computed after it.
    const known = Object.fromEntries(
      Object.entries(results).map(([name, rows]) => [
        name,
        this.glimpseNames.includes(name) ? slice(rows, 1, null) : slice(rows, 0, -1),
      ]),
    );
    const first = this.readout.feedback(this.readout.initialOutputs(dimension(outputs, 1)));
    const before = concatenate([expandDims(first, 0), slice(feedback, 0, -1)]);
    this.#note(known, results);
    return this.readout.costs(outputs, { feedback: before, ...known, ...contexts }, mask);
  }

  /**
   * Outputs of `nSteps` steps, for `batchSize` sequences, with the states and the glimpses of each step and the `costs` (time, batch) of the outputs: each (time,
   * batch, ...). Contexts are given by name, and states in place of the initial ones.
   *
   * What is drawn follows from the state `random_state` that the readout has: a function draws the same with each run, unless it is given the updates of the graph
   * (`ComputationGraph.getFunction` is).
   */
  @application({
    inputs: (generator: BaseSequenceGenerator) =>
      generator.application('doGenerate').inputs?.filter((name) => !preprocessedNames(generator).includes(name)),
    contexts: (generator: BaseSequenceGenerator) => generator.contextNames,
    delegate: (generator: BaseSequenceGenerator) => generator.application('doGenerate'),
  })
  generate(given: GivenVariables = {}, options: RecurrentCallOptions = {}): NamedVariables {
    const variables = givenVariables(currentCall().application, given);
    const preprocessed = this.transition.preprocess(pick(variables, this.contextNames));
    const results = this.doGenerate({ ...variables, ...preprocessed }, options);
    const [states, first] = [results['random_state'], this.readout.randomState];
    if (states !== undefined && first !== undefined && variables['random_state'] === undefined) {
      const last = options.iterate === false ? states : index(states, -1);
      currentCall().addUpdate(first, index(last, 0));
    }
    return results;
  }

  /** {@link generate}, to which what the transition preprocesses is given. */
  doGenerate(given: NamedVariables, options?: RecurrentCallOptions): NamedVariables;
  @recurrent({
    states: generatedStates,
    contexts: (generator: BaseSequenceGenerator) => [...generator.contextNames, ...preprocessedNames(generator)],
    outputs: (generator: BaseSequenceGenerator) => [...generatedStates(generator), 'costs'],
  })
  doGenerate(given: NamedVariables): NamedVariables {
    const glimpses = this.#glimpses(given);
    const readouts = this.readout.readout(this.#sources(given, glimpses));
    const { random_state: before } = given;
    const { outputs, random_state: after } = this.readout.emit(readouts, before && index(before, 0));
    return {
      ...this.#nextStates(given, glimpses, outputs),
      ...glimpses,
      outputs,
      ...(after === undefined ? {} : { random_state: expandDims(after, 0) }),
      costs: this.readout.cost(readouts, outputs),
    };
  }

  /** The logarithms of the probabilities (batch, outputs) of all outputs of one step, of what {@link doGenerate} is given for it. */
  @application({ inputs: stepInputs, outputs: ['scores'] })
  scores(given: NamedVariables): Variable {
    return this.readout.scores(this.#sources(given, this.#glimpses(given)));
  }

  /** What one step leaves of states, glimpses and outputs, these being the ones that are given: of all else that {@link doGenerate} is given for it. */
  @application({
    inputs: stepInputs,
    outputs: (generator: BaseSequenceGenerator) => generatedStates(generator),
  })
  nextStates(given: NamedVariables): NamedVariables {
    const outputs = this.#outputs(given);
    const glimpses = this.#glimpses(given);
    return { ...this.#nextStates(given, glimpses, outputs), ...glimpses, outputs };
  }

  /** What is before the first step: the states, what stands for outputs and glimpses, and what is drawn from. */
  @application({ inputs: ['batch_size'], outputs: generatedStates })
  initialStates(batchSize: number | Variable, contexts: NamedVariables = {}): NamedVariables {
    const { randomState } = this.readout;
    return {
      ...this.transition.initialStates(batchSize, pick(contexts, this.contextNames)),
      outputs: this.readout.initialOutputs(batchSize),
      // As all states, with an axis of examples, which share it.
      ...(randomState === undefined ? {} : { random_state: expandDims(randomState, 0) }),
    };
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    const { readout, transition, fork } = this;
    // They are asked for sizes, which they may have from what they are made of.
    transition.pushAllocationConfig();
    const known = [...this.stateNames, ...this.glimpseNames, ...this.contextNames];
    for (const [place, name] of readout.sourceNames.entries()) {
      at(readout.sourceDims, place).value = sizeOf(known.includes(name) ? transition : readout, name);
    }
    readout.pushAllocationConfig();
    fork.inputDim.value = sizeOf(readout, 'feedback');
    for (const [place, name] of [...fork.transforms.keys()].entries()) {
      at(fork.outputDims, place).value = sizeOf(transition, name);
    }
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const brick = name === 'outputs' ? this.readout : this.transition;
    return brick.hasDim(name) ? brick.getDim(name) : super.dimensionOf(name);
  }

  #glimpses(given: NamedVariables): NamedVariables {
    return this.transition.takeGlimpses(pick(given, this.transition.application('takeGlimpses').inputs ?? []));
  }

  #sources(given: NamedVariables, glimpses: NamedVariables): NamedVariables {
    const feedback = this.readout.feedback(this.#outputs(given));
    return { ...pick(given, [...this.stateNames, ...this.contextNames]), ...glimpses, feedback };
  }

  #nextStates(given: NamedVariables, glimpses: NamedVariables, outputs: Variable): NamedVariables {
    const inputs = this.fork.apply(this.readout.feedback(outputs));
    const names = this.transition.application('computeStates').inputs ?? [];
    return this.transition.computeStates(pick({ ...given, ...glimpses, ...inputs }, names));
  }

  #outputs({ outputs }: NamedVariables): Variable {
    if (outputs !== undefined) return outputs;
    throw new Error(`${this.uniquePath} is not given outputs, of which a step is made; give them by that name`);
  }

  #note(known: NamedVariables, results: NamedVariables): void {
    const call = currentCall();
    for (const [name, rows] of Object.entries(known)) {
      call.addAuxiliaryVariable(identity(rows), { name });
      call.addAuxiliaryVariable(index(results[name] ?? rows, -1), { name: `${name}_final_value` });
    }
  }
}

function costInputs(generator: BaseSequenceGenerator): readonly string[] {
  return ['outputs', 'mask', ...generator.stateNames, ...generator.glimpseNames, ...generator.contextNames];
}

function stepInputs(generator: BaseSequenceGenerator): readonly string[] {
  return generator.application('doGenerate').inputs ?? [];
}

function generatedStates(generator: BaseSequenceGenerator): readonly string[] {
  const drawn = generator.readout.draws ? ['random_state'] : [];
  return [...generator.stateNames, 'outputs', ...generator.glimpseNames, ...drawn];
}

function preprocessedNames({ transition }: BaseSequenceGenerator): readonly string[] {
  return transition.application('preprocess').outputs ?? [];
}
