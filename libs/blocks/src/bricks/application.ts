import { identity, Variable } from '@longrun/tensor';

import { addAnnotation, Annotation, setBlocksName, type AuxiliaryVariableOptions } from '../graph/annotations.js';
import { addRole, INPUT, OUTPUT, type VariableRole } from '../roles.js';
import { checkInputSizes } from './input-sizes.js';
import type { Brick } from './brick.js';
import { deepCopy, type Copies, type DeepCopyable } from './deep-copy.js';

/** Options of {@link application}. Names may depend on the brick that is applied. */
export interface ApplicationOptions {
  /** Names of the arguments, in order. An argument that is an array of variables names them `name_0`, `name_1`, ... Default `input_0`, ... */
  readonly inputs?: ApplicationNames;
  /** Names of the results, in order. Default `output_0`, ... */
  readonly outputs?: ApplicationNames;
  /** Roles of every result besides OUTPUT. Default none. */
  readonly outputRoles?: readonly VariableRole[];
}

/** Names, or how to find them for a given brick. */
export type ApplicationNames = readonly string[] | ((brick: Brick) => readonly string[] | undefined);

/** What application methods give. */
export type ApplicationResult = Variable | readonly Variable[];

/**
 * Decorates a method of a brick that builds a part of the graph (Blocks: `@application`).
 *
 * A call allocates the brick if needed, and gives the method copies of the variables it gets: named
 * `<brick>_<application>_<input>`, with role INPUT, annotated with the brick and with the call. Results likewise, with role
 * OUTPUT. It warns when a brick calls another that is not its child, for then the annotations do not show who made what.
 *
 * @throws Error when there are more results than `outputs`, or when a static size contradicts what the brick expects.
 */
export function application(options: ApplicationOptions = {}) {
  return function decorate<This extends Brick, Arguments extends readonly unknown[], Result extends ApplicationResult>(
    method: (this: This, ...args: Arguments) => Result,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Arguments) => Result>,
  ): (this: This, ...args: Arguments) => Result {
    // An application calls its method with copies of the arguments that it was given, so their types hold.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const made = new Application(String(context.name), method as unknown as ApplicationMethod, options);
    const applied = function applied(this: This, ...args: Arguments): Result {
      // The result of the method, with copies in place of variables.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return invoke(new BoundApplication(this, made), args, {}) as Result;
    };
    APPLICATIONS.set(applied, made);
    return applied;
  };
}

type ApplicationMethod = (this: Brick, ...args: readonly unknown[]) => ApplicationResult;

const APPLICATIONS = new WeakMap<object, Application>();

/** An application method of a class of bricks. */
export class Application {
  readonly name: string;
  /** The method as written, without what the decorator adds. */
  readonly method: ApplicationMethod;
  readonly options: ApplicationOptions;

  constructor(name: string, method: ApplicationMethod, options: ApplicationOptions) {
    this.name = name;
    this.method = method;
    this.options = options;
  }
}

/** An application method of one brick (Blocks: `BoundApplication`). */
export class BoundApplication implements DeepCopyable {
  readonly brick: Brick;
  readonly application: Application;

  constructor(brick: Brick, method: Application) {
    this.brick = brick;
    this.application = method;
  }

  get name(): string {
    return this.application.name;
  }

  /** Declared names of the inputs, undefined when there are none. */
  get inputs(): readonly string[] | undefined {
    return namesOf(this.application.options.inputs, this.brick);
  }

  /** Declared names of the outputs, undefined when there are none. */
  get outputs(): readonly string[] | undefined {
    return namesOf(this.application.options.outputs, this.brick);
  }

  /** The results as a list (Blocks: `as_list=True`). */
  call(args: readonly unknown[], options: CallOptions = {}): readonly Variable[] {
    const result = invoke(this, args, options);
    return isList(result) ? result : [result];
  }

  /** The results by name (Blocks: `as_dict=True`). */
  callAsRecord(args: readonly unknown[], options: CallOptions = {}): Readonly<Record<string, Variable>> {
    const names = this.outputs;
    return Object.fromEntries(this.call(args, options).map((output, at) => [names?.[at] ?? `output_${at}`, output]));
  }

  /** True for the same application of the same brick. */
  equals(other: BoundApplication): boolean {
    return this.brick === other.brick && this.application === other.application;
  }

  deepCopy(copies: Copies): BoundApplication {
    return new BoundApplication(deepCopy(this.brick, copies), this.application);
  }

  /** `/mlp/linear_0.apply` */
  toString(): string {
    return `${this.brick.uniquePath}.${this.name}`;
  }
}

/** Options of a call by way of a {@link BoundApplication}. */
export interface CallOptions {
  /** Tells this call from others of the same application, for filtering. */
  readonly callId?: string;
}

/** One call of an application: annotates the variables that went in and came out (Blocks: `ApplicationCall`). */
export class ApplicationCall extends Annotation {
  readonly application: BoundApplication;
  /** `callId`, and what bricks note here. */
  readonly metadata: Map<string, unknown>;

  constructor(called: BoundApplication, options: CallOptions = {}) {
    super();
    this.application = called;
    this.metadata = new Map(options.callId === undefined ? [] : [['callId', options.callId]]);
  }

  /** Named `<brick>_<application>_<name>`, with Blocks name `name`; annotated with the brick as well. */
  override addAuxiliaryVariable(variable: Variable, options: AuxiliaryVariableOptions = {}): void {
    const { name, ...rest } = options;
    if (name !== undefined) nameWithin(this.application, variable, name);
    addAnnotation(variable, this.application.brick);
    super.addAuxiliaryVariable(variable, rest);
  }
}

/** The application `name` of a class of bricks, for filtering: `applicationOf(Linear, 'apply')`. */
export function applicationOf(brickClass: { readonly prototype: Brick }, name: string): Application {
  return definition(brickClass.prototype, name, `${brickClass.prototype.constructor.name}.${name}`);
}

/** The application `name` of one brick. */
export function boundApplication(brick: Brick, name: string): BoundApplication {
  return new BoundApplication(brick, definition(brick, name, `${brick.uniquePath}.${name}`));
}

/** The call that is going on, for adding auxiliary variables to it. Throws outside of application methods. */
export function currentCall(): ApplicationCall {
  const call = CALLS.at(-1);
  if (call === undefined) throw new Error('currentCall() is only of use inside a method with @application');
  return call;
}

function definition(owner: object, name: string, described: string): Application {
  const method: unknown = Reflect.get(owner, name);
  const found = typeof method === 'function' ? APPLICATIONS.get(method) : undefined;
  if (found !== undefined) return found;
  throw new Error(`${described} is not an application; put @application on the method`);
}

/** The calls that are going on, outermost first. Building a graph is synchronous. */
const CALLS: ApplicationCall[] = [];

function invoke(called: BoundApplication, args: readonly unknown[], options: CallOptions): ApplicationResult {
  const { brick } = called;
  const call = new ApplicationCall(called, options);
  brick.prepareToApply();
  const inputNames = called.inputs;
  const inputs = args.map((argument, at) => tagArgument(call, argument, inputNames?.[at] ?? `input_${at}`));
  warnUnlessChild(called);
  CALLS.push(call);
  let result: ApplicationResult;
  try {
    result = called.application.method.call(brick, ...inputs);
  } finally {
    CALLS.pop();
  }
  return tagResult(call, result);
}

function tagArgument(call: ApplicationCall, argument: unknown, name: string): unknown {
  if (argument instanceof Variable) {
    checkInputSizes(call.application, name, argument);
    return copyAndTag(call, argument, INPUT, name);
  }
  if (!Array.isArray(argument)) return argument;
  return argument.map((item, at) => (item instanceof Variable ? copyAndTag(call, item, INPUT, `${name}_${at}`) : item));
}

function tagResult(call: ApplicationCall, result: ApplicationResult): ApplicationResult {
  const names = call.application.outputs;
  const outputs = isList(result) ? result : [result];
  if (names !== undefined && outputs.length > names.length) {
    throw new Error(
      `${call.application.toString()} gave ${outputs.length} outputs but declares ${names.length} (${names.join(', ')}); ` +
        'name them all in @application({ outputs })',
    );
  }
  const tagged = outputs.map((output, at) => {
    const copy = copyAndTag(call, output, OUTPUT, names?.[at] ?? `output_${at}`);
    for (const role of call.application.application.options.outputRoles ?? []) addRole(copy, role);
    return copy;
  });
  const [first] = tagged;
  return isList(result) || first === undefined ? tagged : first;
}

/** A copy of its own: the same variable may be the input of many bricks. Engines skip the copies. */
function copyAndTag(call: ApplicationCall, variable: Variable, role: VariableRole, name: string): Variable {
  const copy = identity(variable);
  nameWithin(call.application, copy, name);
  addAnnotation(copy, call.application.brick);
  addAnnotation(copy, call);
  addRole(copy, role);
  return copy;
}

function nameWithin(within: BoundApplication, variable: Variable, name: string): void {
  variable.name = `${within.brick.name}_${within.name}_${name}`;
  setBlocksName(variable, name);
}

function warnUnlessChild(called: BoundApplication): void {
  const caller = CALLS.at(-1)?.application.brick;
  if (caller === undefined || caller === called.brick || caller.children.includes(called.brick)) return;
  process.emitWarning(
    `${caller.uniquePath} calls ${called.toString()}, which is not one of its children; ` +
      'add it with addChild(), or put @application on the method that calls it',
    'BrickWarning',
  );
}

function namesOf(names: ApplicationNames | undefined, brick: Brick): readonly string[] | undefined {
  return typeof names === 'function' ? names(brick) : names;
}

function isList(result: ApplicationResult): result is readonly Variable[] {
  return Array.isArray(result);
}
