import { add, at, slice, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import { currentCall } from '../application-call.js';
import type { Brick, Dimension } from '../brick.js';
import type { Feedforward } from '../feedforward.js';
import type { InitializableOptions } from '../initializable.js';
import { Linear } from '../linear.js';
import { Fork } from '../parallel/fork.js';
import type { NamedVariables } from '../tagging.js';
import { BaseRecurrent, inputsOf, MASK, sizeOf } from './base-recurrent.js';
import type { RecurrentCallOptions } from './call-options.js';
import { givenVariables } from './given-variables.js';
import { recurrent } from './recurrent.js';

/** Stands between the name of a variable and the level of the stack that it is of: `states#1`. */
export const RECURRENT_STACK_SEPARATOR = '#';

/** Options of {@link RecurrentStack}. */
export interface RecurrentStackOptions extends InitializableOptions {
  /** Recurrent bricks, the lowest first, each with a name of its own. */
  readonly transitions: readonly Brick[];
  /** What is copied to make the inputs of a level of the states of that below. Default: a `Linear`. */
  readonly forkPrototype?: (Brick & Feedforward) | undefined;
  /** The output of each level that the next one takes. Default `states`. */
  readonly statesName?: string | undefined;
  /** Whether the inputs of all levels are given, and added to what the level below makes. Default: those of the lowest alone. */
  readonly skipConnections?: boolean | undefined;
}

/** The second argument of {@link RecurrentStack.apply}. */
export interface RecurrentStackCallOptions extends RecurrentCallOptions {
  /** Makes one step of all levels after the other, in one scan, instead of one scan for each level. Default false. */
  readonly lowMemory?: boolean | undefined;
}

/** What is said of both applications of a stack. */
const STACKED = {
  inputs: (stack: RecurrentStack): readonly string[] => [
    ...stackedSequences(stack),
    ...stacked(stack, 'states'),
    ...stacked(stack, 'contexts'),
  ],
  sequences: stackedSequences,
  states: (stack: RecurrentStack): readonly string[] => stacked(stack, 'states'),
  contexts: (stack: RecurrentStack): readonly string[] => stacked(stack, 'contexts'),
  outputs: (stack: RecurrentStack): readonly string[] => stacked(stack, 'outputs'),
};

/**
 * Recurrent bricks on top of each other: each level but the lowest takes what a `Fork`, `fork_<level>`, makes of the states of that below. The names of
 * inputs, states and outputs are those of the bricks, with `#<level>` from level 1 on; a mask is that of all levels.
 */
export class RecurrentStack extends BaseRecurrent {
  readonly transitions: readonly Brick[];
  /** What makes the inputs of level 1, 2, ... */
  readonly forks: readonly Fork[];
  readonly statesName: string;
  readonly skipConnections: boolean;

  /** @throws Error without a transition */
  constructor(options: RecurrentStackOptions) {
    super(options);
    this.transitions = options.transitions;
    this.statesName = options.statesName ?? 'states';
    this.skipConnections = options.skipConnections ?? false;
    if (this.transitions.length === 0)
      throw new Error(`${this.uniquePath}: there are no transitions; give at least one`);
    const prototype = options.forkPrototype ?? new Linear();
    this.forks = this.transitions
      .slice(1)
      .map(
        (transition, place) => new Fork({ name: `fork_${place + 1}`, outputNames: inputsOf(transition), prototype }),
      );
    for (const brick of [...this.transitions, ...this.forks]) this.addChild(brick);
  }

  /** The name of a variable of a level: `states#1`, of level 0 `states`. That of a mask is the same on all levels. */
  static suffix(name: string, level: number): string {
    return name === MASK || level === 0 ? name : `${name}${RECURRENT_STACK_SEPARATOR}${level}`;
  }

  /** {@link suffix} of several names. */
  static suffixes(names: readonly string[], level: number): string[] {
    return names.map((name) => RecurrentStack.suffix(name, level));
  }

  /** What all levels give, each output by its name. @throws Error with `reverse`, for the levels would meet at different times */
  @application(STACKED)
  apply(
    given: Readonly<Record<string, Variable | undefined>>,
    options: RecurrentStackCallOptions = {},
  ): NamedVariables {
    const { lowMemory, ...how } = options;
    if (how.reverse === true) throw new Error(`${this.uniquePath}.apply cannot go in reverse; reverse the sequences`);
    const variables = givenVariables(currentCall().application, given);
    return lowMemory === true ? this.lowMemoryApply(variables, how) : this.#levels(variables, how);
  }

  /** One scan that makes a step of all levels, one after the other. */
  lowMemoryApply(given: Readonly<Record<string, Variable | undefined>>, options?: RecurrentCallOptions): NamedVariables;
  @recurrent(STACKED)
  lowMemoryApply(given: NamedVariables): NamedVariables {
    return this.#levels(given, { iterate: false });
  }

  @application({ inputs: ['batch_size'], outputs: (stack: RecurrentStack) => stack.application('apply').states })
  override initialStates(batchSize: number | Variable, contexts: NamedVariables = {}): NamedVariables {
    return this.#joined((transition, level) => {
      const own: Record<string, Variable> = {};
      for (const name of transition.application('apply').contexts) {
        const context = contexts[RecurrentStack.suffix(name, level)];
        if (context !== undefined) own[name] = context;
      }
      return transition.application('initialStates').callAsRecord([batchSize, own]);
    });
  }

  protected override pushAllocation(): void {
    super.pushAllocation();
    for (const [place, fork] of this.forks.entries()) {
      const above = at(this.transitions, place + 1);
      fork.inputDim.value = sizeOf(at(this.transitions, place), this.statesName);
      for (const [output, name] of inputsOf(above).entries()) at(fork.outputDims, output).value = sizeOf(above, name);
    }
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    const [own = name, level = 0] = name.split(RECURRENT_STACK_SEPARATOR);
    const transition = this.transitions[Number(level)];
    return transition?.hasDim(own) === true ? transition.getDim(own) : super.dimensionOf(name);
  }

  /** What each level makes of its own variables and of what the level below has made. */
  #levels(given: NamedVariables, how: RecurrentCallOptions): NamedVariables {
    let below: Variable | undefined;
    return this.#joined((transition, level) => {
      const called = transition.application('apply');
      const own: Record<string, Variable> = {};
      for (const name of called.inputs ?? []) {
        const variable = given[RecurrentStack.suffix(name, level)];
        if (variable !== undefined) own[name] = variable;
      }
      if (below !== undefined) {
        for (const [name, made] of Object.entries(at(this.forks, level - 1).apply(below))) {
          const skipped = own[name];
          own[name] = skipped === undefined ? made : add(made, skipped);
        }
      }
      const results = called.callAsRecord([own, how]);
      if (level < this.forks.length) below = this.#passedOn(results, transition, how);
      return results;
    });
  }

  /** The states that the level above takes: those after each step, without the initial ones. */
  #passedOn(results: NamedVariables, transition: Brick, how: RecurrentCallOptions): Variable {
    const states = results[this.statesName];
    if (states === undefined) {
      throw new Error(
        `${transition.uniquePath} has no output ${this.statesName}, of which the level above is to be made; ` +
          `give statesName: ${Object.keys(results).join(', or ')}`,
      );
    }
    return how.returnInitialStates === true && how.iterate !== false ? slice(states, 1, null) : states;
  }

  /** What there is of each level, by its names in the stack. */
  #joined(of: (transition: Brick, level: number) => NamedVariables): NamedVariables {
    const levels = this.transitions.map((transition, level) =>
      Object.entries(of(transition, level)).map(
        ([name, variable]) => [RecurrentStack.suffix(name, level), variable] as const,
      ),
    );
    return Object.fromEntries(levels.flat());
  }
}

function stackedSequences(stack: RecurrentStack): readonly string[] {
  const given = stack.skipConnections ? stack.transitions : stack.transitions.slice(0, 1);
  const inputs = given.flatMap((transition, level) => RecurrentStack.suffixes(inputsOf(transition), level));
  const isMasked = stack.transitions.some((transition) => transition.application('apply').sequences.includes(MASK));
  return isMasked ? [...inputs, MASK] : inputs;
}

function stacked({ transitions }: RecurrentStack, kind: 'states' | 'contexts' | 'outputs'): readonly string[] {
  return transitions.flatMap((transition, level) =>
    RecurrentStack.suffixes(transition.application('apply')[kind] ?? [], level),
  );
}
