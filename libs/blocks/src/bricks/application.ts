import type { VariableRole } from '../roles.js';
import type { BoundApplication } from './bound-application.js';
import type { Brick } from './brick.js';
import type { ApplicationResult } from './tagging.js';

/**
 * Options of {@link application}: what is said of it, to be read from `brick.application('apply')`. There may be more than those
 * named here. A function is asked with the brick that is applied: `outputs: (fork: Fork) => fork.outputNames`.
 */
export interface ApplicationOptions<Owner extends Brick = Brick> {
  /**
   * Names of the arguments, in order. An argument that is an array of variables names them `name_0`, `name_1`, ...; one that is a plain
   * object names them by its keys. Default `input_0`, ...
   */
  readonly inputs?: ApplicationNames<Owner>;
  /** Names of the results, in order; of results in a plain object, its keys. Default `output_0`, ... */
  readonly outputs?: ApplicationNames<Owner>;
  /** Roles of every result besides OUTPUT. Default none. */
  readonly outputRoles?: readonly VariableRole[];
  /** Of which a recurrent application gives each step a row. Default none. */
  readonly sequences?: ApplicationNames<Owner>;
  /** Which a recurrent application carries from step to step. Default none. */
  readonly states?: ApplicationNames<Owner>;
  /** Which a recurrent application gives each step as they are. Default none. */
  readonly contexts?: ApplicationNames<Owner>;
  /** Another application that is asked for what is not said of this one (Blocks: `Application.delegate`). Default none. */
  readonly delegate?: (brick: Owner) => BoundApplication | undefined;
  readonly [attribute: string]: unknown;
}

/** Names, or how to find them for a given brick. */
export type ApplicationNames<Owner extends Brick = Brick> =
  | readonly string[]
  | ((brick: Owner) => readonly string[] | undefined);

/**
 * Decorates a method of a brick that builds a part of the graph (Blocks: `@application`).
 *
 * A call allocates the brick if needed, and gives the method copies of the variables it gets: named
 * `<brick>_<application>_<input>`, with role INPUT, annotated with the brick and with the call. Results likewise, with role
 * OUTPUT: one variable, an array, or a plain object of them. It warns when a brick calls another that is not its child, for then the annotations
 * do not show who made what.
 *
 * @throws Error when there are results that `outputs` does not have, or when a static size contradicts what the brick expects.
 */
export function application<Owner extends Brick = Brick>(options: ApplicationOptions<Owner> = {}) {
  return function decorate<This extends Owner, Arguments extends readonly unknown[], Result extends ApplicationResult>(
    method: (this: This, ...args: Arguments) => Result,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Arguments) => Result>,
  ): (this: This, ...args: Arguments) => Result {
    // An application calls its method with copies of the arguments that it was given, and asks functions about bricks of its class only.
    /* oxlint-disable typescript/no-unsafe-type-assertion */
    const made = new Application(
      String(context.name),
      method as unknown as ApplicationMethod,
      options as unknown as ApplicationOptions,
    );
    return applied(made) as unknown as (this: This, ...args: Arguments) => Result;
    /* oxlint-enable typescript/no-unsafe-type-assertion */
  };
}

/** The method of an application. */
export type ApplicationMethod = (this: Brick, ...args: readonly unknown[]) => ApplicationResult;

const APPLICATIONS = new WeakMap<object, Application>();

/** An application method of a class of bricks. */
export class Application {
  readonly name: string;
  /** The method as written, without what the decorator adds. */
  readonly applicationFunction: ApplicationMethod;
  readonly options: ApplicationOptions;

  constructor(name: string, applicationFunction: ApplicationMethod, options: ApplicationOptions) {
    this.name = name;
    this.applicationFunction = applicationFunction;
    this.options = options;
  }

  /** What the decorator says under a name of a brick, undefined where it says nothing. */
  attributeOf(brick: Brick, name: string): unknown {
    const said = this.options[name];
    return typeof said === 'function' ? said(brick) : said;
  }
}

/** The method that applies an application to the brick that it is called on. */
export function applied(made: Application): ApplicationMethod {
  const method: ApplicationMethod = function apply(...args) {
    return this.bound(made).invoke(args);
  };
  APPLICATIONS.set(method, made);
  return method;
}

/** The application that a method applies. Throws where it applies none. */
export function applicationBehind(method: unknown, described: string): Application {
  const found = typeof method === 'function' ? APPLICATIONS.get(method) : undefined;
  if (found !== undefined) return found;
  throw new Error(`${described} is not an application; put @application on the method`);
}

/** The application `name` of a class of bricks, for filtering: `applicationOf(Linear, 'apply')`. */
export function applicationOf(brickClass: { readonly prototype: Brick }, name: string): Application {
  const { prototype } = brickClass;
  return applicationBehind(Reflect.get(prototype, name), `${prototype.constructor.name}.${name}`);
}
