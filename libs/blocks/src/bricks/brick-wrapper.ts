import { Application, applicationBehind, applied, type ApplicationMethod } from './application.js';
import type { Brick } from './brick.js';
import type { ApplicationResult } from './tagging.js';

/**
 * Replaces the method of an application by another that is written in terms of it (Blocks: `BrickWrapper`), as `WithExtraDims` and the iteration of
 * `recurrent` do.
 */
export abstract class BrickWrapper {
  /**
   * Takes the place of the method; `currentCall()` says of which application of which brick.
   *
   * @param method what it is in the place of
   * @param args what the application was called with, variables being tagged already
   */
  abstract call(
    method: (...args: readonly unknown[]) => ApplicationResult,
    args: readonly unknown[],
  ): ApplicationResult;
}

/**
 * Decorates an application, to stand above `@application`: it keeps its name and what is said of it, and does what the wrapper does.
 *
 * @throws Error above anything else
 */
export function wrap(wrapper: BrickWrapper) {
  return function decorate<This extends Brick, Arguments extends readonly unknown[], Result extends ApplicationResult>(
    method: (this: This, ...args: Arguments) => Result,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Arguments) => Result>,
  ): (this: This, ...args: Arguments) => Result {
    const inner = applicationBehind(method, String(context.name));
    const around: ApplicationMethod = function around(this: Brick, ...args) {
      return wrapper.call((...given) => inner.applicationFunction.call(this, ...given), args);
    };
    // What the wrapper gives in place of the method's result is declared by the method.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return applied(new Application(inner.name, around, inner.options)) as unknown as (
      this: This,
      ...args: Arguments
    ) => Result;
  };
}
