import { TensorTypeError, Variable } from '@longrun/tensor';

import type { Application } from './application.js';
import { ApplicationCall, during, type CallOptions } from './application-call.js';
import type { Brick } from './brick.js';
import type { BrickCopies, Copyable } from './brick-copies.js';
import { isList, tagArguments, tagResult, type ApplicationResult, type NamedVariables } from './tagging.js';

/** An application method of one brick (Blocks: `BoundApplication`). */
export class BoundApplication implements Copyable {
  readonly brick: Brick;
  readonly application: Application;
  readonly #own = new Map<string, unknown>();

  /** See `brick.application(name)`, which gives the same one each time. */
  constructor(brick: Brick, method: Application) {
    this.brick = brick;
    this.application = method;
  }

  get name(): string {
    return this.application.name;
  }

  /** Names of the inputs, undefined when none are declared. */
  get inputs(): readonly string[] | undefined {
    return this.#names('inputs');
  }

  /** Names of the outputs, undefined when none are declared. */
  get outputs(): readonly string[] | undefined {
    return this.#names('outputs');
  }

  /** Of a recurrent application: the inputs of which each step gets a row. */
  get sequences(): readonly string[] {
    return this.#names('sequences') ?? [];
  }

  /** Of a recurrent application: the inputs that each step has from the one before. */
  get states(): readonly string[] {
    return this.#names('states') ?? [];
  }

  /** Of a recurrent application: the inputs that are the same in all steps. */
  get contexts(): readonly string[] {
    return this.#names('contexts') ?? [];
  }

  /**
   * What is said of this application under a name, undefined where nothing is: first by {@link setAttribute}, then by the decorator,
   * where a function is asked with the brick, then by the application that this one delegates to.
   */
  attribute(name: string): unknown {
    if (this.#own.has(name)) return this.#own.get(name);
    const said = this.application.attributeOf(this.brick, name);
    return said === undefined ? this.application.options.delegate?.(this.brick)?.attribute(name) : said;
  }

  /** Says something of this application of this brick alone. */
  setAttribute(name: string, value: unknown): void {
    this.#own.set(name, value);
  }

  /** What was said by {@link setAttribute}. */
  get ownAttributes(): ReadonlyMap<string, unknown> {
    return this.#own;
  }

  /** The result as the method gives it, tagged. */
  invoke(args: readonly unknown[], options: CallOptions = {}): ApplicationResult {
    const call = new ApplicationCall(this, options);
    this.brick.prepareToApply();
    const inputs = tagArguments(call, args);
    return tagResult(
      call,
      during(call, () => namingBrick(this, () => this.application.applicationFunction.call(this.brick, ...inputs))),
    );
  }

  /** The results as a list, in the order of {@link outputs} (Blocks: `as_list=True`). */
  call(args: readonly unknown[], options: CallOptions = {}): readonly Variable[] {
    const result = this.invoke(args, options);
    if (result instanceof Variable) return [result];
    if (isList(result)) return result;
    const order = this.outputs ?? Object.keys(result);
    return order.map((name) => result[name]).filter((output) => output !== undefined);
  }

  /** The results by name (Blocks: `as_dict=True`). */
  callAsRecord(args: readonly unknown[], options: CallOptions = {}): NamedVariables {
    const result = this.invoke(args, options);
    if (!(result instanceof Variable) && !isList(result)) return result;
    const names = this.outputs;
    return Object.fromEntries([result].flat().map((output, at) => [names?.[at] ?? `output_${at}`, output]));
  }

  /** True for the same application of the same brick. */
  equals(other: BoundApplication): boolean {
    return this.brick === other.brick && this.application === other.application;
  }

  /** The same application of the copy of the brick. */
  copyAmong(copies: BrickCopies): BoundApplication {
    return copies.of(this.brick).bound(this.application);
  }

  /** `/mlp/linear_0.apply` */
  toString(): string {
    return `${this.brick.uniquePath}.${this.name}`;
  }

  #names(name: string): readonly string[] | undefined {
    const names = this.attribute(name);
    if (names === undefined) return undefined;
    if (Array.isArray(names) && names.every((item) => typeof item === 'string')) return names;
    throw new Error(`${this.toString()}: ${name} are ${JSON.stringify(names)}; give a list of names`);
  }
}

/** What `build` gives, or its error of types and shapes, said of the innermost brick in which it was made. */
export function namingBrick<Result>(who: { toString(): string }, build: () => Result): Result {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof TensorTypeError) || NAMED.has(error)) throw error;
    const named = new TensorTypeError(`${who.toString()}: ${error.message}`, { cause: error });
    NAMED.add(named);
    throw named;
  }
}

/** Errors that name a brick. */
const NAMED = new WeakSet<TensorTypeError>();
