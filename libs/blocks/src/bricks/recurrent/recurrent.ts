import { application, type ApplicationNames, type ApplicationOptions } from '../application.js';
import { currentCall } from '../application-call.js';
import type { Brick } from '../brick.js';
import { BrickWrapper, wrap } from '../brick-wrapper.js';
import type { ApplicationResult } from '../tagging.js';
import type { RecurrentCallOptions } from './call-options.js';
import { checkLengths, givenVariables, pick } from './given-variables.js';
import { iterate } from './iterate.js';

/** Options of {@link recurrent}: names, or functions of the brick. */
export interface RecurrentOptions<Owner extends Brick = Brick> extends ApplicationOptions<Owner> {
  /** The inputs of which each step gets a row. Default none. */
  readonly sequences?: ApplicationNames<Owner>;
  /** The inputs that each step has from the one before. Default none. */
  readonly states?: ApplicationNames<Owner>;
  /** The inputs that are the same in all steps. Default none. */
  readonly contexts?: ApplicationNames<Owner>;
  /** What a step gives, all of `states` among it. */
  readonly outputs: ApplicationNames<Owner>;
}

/**
 * Decorates a method that makes one step of a recurrence (Blocks: `@recurrent`): it becomes an application that makes all of them, in one scan.
 *
 * The method takes a plain object of variables: a row of each of the `sequences`, such as `(batch, dim)`, the `states` as the step before
 * left them, and the `contexts`; it gives what `outputs` names, the states among them. The application takes sequences of
 * `(time, batch, ...)`, and gives outputs of that form; states that it is not given are what `initialStates(batchSize)` of the brick gives, and
 * sequences that the method does without, such as a mask, may be left out. Call options: {@link RecurrentCallOptions}. How it is called so, is
 * declared by an overload above the method, as in `SimpleRecurrent`.
 *
 * What goes in and out of a step is tagged as that of any call, and is found within the scan: `select(graph).inside()`. Of the outer call, the metadata has
 * it by `innerInputs` and `innerOutputs`.
 *
 * It warns about variables that the method takes from elsewhere, but for parameters, states and constants: they have no role within the step.
 */
export function recurrent<Owner extends Brick = Brick>(options: RecurrentOptions<Owner>) {
  return function decorate<This extends Owner, Arguments extends readonly unknown[], Result extends ApplicationResult>(
    method: (this: This, ...args: Arguments) => Result,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Arguments) => Result>,
  ): (this: This, ...args: Arguments) => Result {
    const inputs = (brick: Owner): readonly string[] => {
      const { sequences, states, contexts } = brick.application(String(context.name));
      return [...sequences, ...states, ...contexts];
    };
    return wrap(ITERATION)(application<Owner>({ inputs, ...options })(method, context), context);
  };
}

class Iteration extends BrickWrapper {
  override call(
    method: (...args: readonly unknown[]) => ApplicationResult,
    args: readonly unknown[],
  ): ApplicationResult {
    const [first = {}, options = {}] = args;
    const given = givenVariables(currentCall().application, first);
    // What an application is called with is of the types that its method declares.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const how = options as RecurrentCallOptions;
    if (how.iterate !== false) return iterate(currentCall(), given, how);
    const { application: called } = currentCall();
    checkLengths(called, pick(given, [...called.sequences, ...called.states]), ['batch']);
    return method(given);
  }
}

const ITERATION = new Iteration();
