import { RandomState, RandomStreams } from '@longrun/serialization';
import type { SharedVariable } from '@longrun/tensor';

import { config } from '../configuration/config.js';
import { Annotation } from '../graph/annotations.js';
import type { RandomNumbers, RandomSource } from '../initialization/random-source.js';
import { PARAMETER, PERSISTENT, type VariableRole } from '../roles.js';
import { applicationBehind, type Application } from './application.js';
import { BoundApplication } from './bound-application.js';
import { BrickCopies, carryOverFields, checkChildren, notHandedUp, type Copyable } from './brick-copies.js';
import { BrickVariables, type StateOptions } from './brick-variables.js';
import { requireLazies } from './lazy.js';

/** Options of every brick. */
export interface BrickOptions {
  /** Its name in paths and variables. Default: the class name in lower case. */
  readonly name?: string | undefined;
}

/** Size of a named input or output of a brick: of the last axis, of each axis of an image, or 0 for a scalar or a mask. */
export type Dimension = number | readonly number[];

/**
 * A piece of a model with parameters, states and applications, which may be made of other bricks (Blocks: `Brick`). A state is what
 * it remembers without being trained to, such as a running mean; both are saved with the model.
 *
 * It goes through stages: constructed, with arguments that may still be missing; `pushAllocationConfig()` hands the
 * configuration down to the children; `allocate()` makes the parameters, filled with NaN; `initialize()` gives them values.
 * Applications allocate what is not allocated yet. Configuration set on a child between pushing and allocating stays.
 */
export abstract class Brick extends Annotation implements Copyable {
  readonly name: string;
  readonly #options: BrickOptions;
  readonly #children: Brick[] = [];
  readonly #parents: Brick[] = [];
  readonly #applications = new Map<Application, BoundApplication>();
  readonly #variables = new BrickVariables(this);
  readonly #stages = {
    allocated: false,
    initialized: false,
    allocationConfigPushed: false,
    initializationConfigPushed: false,
    applied: false,
  };

  /** @param options those that the class was given: a copy is made of them */
  constructor(options: BrickOptions = {}) {
    super();
    this.#options = options;
    this.name = options.name ?? new.target.name.toLowerCase();
    if (this.name === '' || /[/.:]/.test(this.name)) {
      throw new Error(`Brick name "${this.name}" cannot be part of a path; leave out "/", "." and ":"`);
    }
  }

  get children(): readonly Brick[] {
    return this.#children;
  }

  get parents(): readonly Brick[] {
    return this.#parents;
  }

  /** The parameters of this brick alone, without those of its children. Empty before `allocate()`. */
  get parameters(): readonly SharedVariable[] {
    return this.#variables.parameters;
  }

  /** What this brick alone remembers besides its parameters. Empty before `allocate()`. */
  get states(): readonly SharedVariable[] {
    return this.#variables.states;
  }

  get allocated(): boolean {
    return this.#stages.allocated;
  }

  get initialized(): boolean {
    return this.#stages.initialized;
  }

  get allocationConfigPushed(): boolean {
    return this.#stages.allocationConfigPushed;
  }

  get initializationConfigPushed(): boolean {
    return this.#stages.initializationConfigPushed;
  }

  /** `/mlp/linear_0`: the names from the root down, through the first parent by name where there are several. */
  get uniquePath(): string {
    const [parent] = this.#parents.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return `${parent?.uniquePath ?? ''}/${this.name}`;
  }

  /** `/mlp/linear_0.W` of a parameter or a state of this brick. */
  hierarchicalName(variable: SharedVariable): string {
    if (!this.#variables.has(variable)) {
      throw new Error(`${variable.toString()} is not a parameter or a state of ${this.uniquePath}`);
    }
    return `${this.uniquePath}.${variable.name}`;
  }

  /** The parameter of that name. Throws before `allocate()` and when there is none. */
  parameterNamed(name: string): SharedVariable {
    return this.#variables.named('parameter', name);
  }

  /** The state of that name. Throws before `allocate()` and when there is none. */
  stateNamed(name: string): SharedVariable {
    return this.#variables.named('state', name);
  }

  /** The application method `name` of this brick, as a value. */
  application(name: string): BoundApplication {
    return this.bound(applicationBehind(Reflect.get(this, name), `${this.uniquePath}.${name}`));
  }

  /** An application of this brick's class, or of one that it extends, as one of this brick: the same one each time. */
  bound(application: Application): BoundApplication {
    const known = this.#applications.get(application);
    if (known !== undefined) return known;
    const made = new BoundApplication(this, application);
    this.#applications.set(application, made);
    return made;
  }

  /** The size of a named input or output. Throws when the brick does not know it. */
  getDim(name: string): Dimension {
    const dimension = this.dimensionOf(name);
    if (dimension !== undefined) return dimension;
    throw new Error(`${this.uniquePath} does not know the dimension of "${name}"`);
  }

  /** True when {@link getDim} knows the size. */
  hasDim(name: string): boolean {
    return this.dimensionOf(name) !== undefined;
  }

  /** {@link getDim} of several names. */
  getDims(names: readonly string[]): Dimension[] {
    return names.map((name) => this.getDim(name));
  }

  /** Hands down to the children what they need to allocate, and so on downwards. */
  pushAllocationConfig(): void {
    this.pushAllocation();
    for (const child of this.#children) child.pushAllocationConfig();
    this.#stages.allocationConfigPushed = true;
  }

  /**
   * Makes the parameters, filled with NaN, and the states, children's first. Throws when an argument is missing.
   *
   * A child that was applied keeps the parameters and states that it has, for a graph has them too. (Blocks made new ones: a brick shared by
   * two parents lost its parameters to the graph of the first as the second was applied.)
   */
  allocate(): void {
    requireLazies(this);
    if (!this.#stages.allocationConfigPushed) this.pushAllocationConfig();
    for (const child of this.#children) if (!child.#stages.applied) child.allocate();
    this.#variables.clear();
    this.clearAnnotation();
    this.#stages.initialized = false;
    this.allocateParameters();
    this.#stages.allocated = true;
  }

  /** Allocates what is not allocated yet, and keeps the parameters from now on. For applications. */
  prepareToApply(): void {
    if (!this.#stages.allocated) this.allocate();
    this.#stages.applied = true;
  }

  /** Hands down to the children how they initialize, and so on downwards. */
  pushInitializationConfig(): void {
    this.pushInitialization();
    for (const child of this.#children) child.pushInitializationConfig();
    this.#stages.initializationConfigPushed = true;
  }

  /**
   * Gives the parameters values, and the states their first ones again, children's first, allocating what is not allocated.
   *
   * Each parameter draws from a stream of its own, that its path names, so that neither order nor the other parameters matter.
   * (Blocks drew all from one generator, in order: adding a layer changed the values of the others. So it is by a `RandomState`, which gives Blocks' numbers.)
   *
   * @param random Default: those of the seed `config.defaultSeed`
   */
  initialize(random: RandomSource = new RandomStreams(config.defaultSeed)): void {
    if (!this.#stages.allocated) this.allocate();
    if (!this.#stages.initializationConfigPushed) this.pushInitializationConfig();
    for (const child of this.#children) child.initialize(random);
    this.#variables.restoreStates();
    this.initializeParameters(random);
    this.#stages.initialized = true;
  }

  /**
   * A brick of the same class, configuration and name, unless another is given, with copies of the bricks that it is made of, and without parents
   * (Python: `deepcopy`). It is constructed anew: see {@link constructorArguments} and {@link carryOver}.
   *
   * @throws Error once one of them is allocated, for its parameters would be meant to be shared, or not; and where a class does not say how
   */
  copy(name = this.name): this {
    return this.copyAmong(new BrickCopies(), name);
  }

  /** {@link copy} as a part of something larger. */
  copyAmong(copies: BrickCopies, name = this.name): this {
    if (this.allocated) throw new Error(`${this.uniquePath}: only bricks that are not allocated yet can be copied`);
    const options = { ...copies.of(this.#options), name };
    copies.set(options, options);
    const args = copies.of(this.constructorArguments(options));
    // The constructor of the class of this brick.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const copy = new (this.constructor as new (...args: readonly unknown[]) => this)(...args);
    if (args.includes(options) && copy.#options !== options) throw new Error(notHandedUp(this));
    copies.set(this, copy);
    copy.carryOver(this);
    return copy;
  }

  override toString(): string {
    return this.uniquePath;
  }

  /** Adds a part. Throws when it is a child already. */
  protected addChild(child: Brick): void {
    if (this.#children.includes(child)) throw new Error(`${child.uniquePath} is already a child of ${this.uniquePath}`);
    this.#children.push(child);
    child.#parents.push(this);
  }

  /** Makes a parameter of dtype `floatX()` filled with NaN, so that a use before `initialize()` shows. To be called in `allocateParameters()`. */
  protected parameter(name: string, shape: readonly number[], role: VariableRole = PARAMETER): SharedVariable {
    return this.#variables.addParameter(name, shape, role);
  }

  /**
   * Makes a state: a variable that is saved with the model but not trained, such as a running mean. What updates it is a graph that
   * the algorithm runs: see `addUpdate`. To be called in `allocateParameters()`.
   *
   * @param role PERSISTENT or one derived from it; any other is given besides PERSISTENT, where it is persistent
   * @throws Error when the dtype has no such initial value
   */
  protected state(
    name: string,
    shape: readonly number[],
    role: VariableRole = PERSISTENT,
    options: StateOptions = {},
  ): SharedVariable {
    return this.#variables.addState(name, shape, role, options);
  }

  /** What a parameter of this brick is initialized from. */
  protected randomFor(parameter: SharedVariable, random: RandomSource): RandomNumbers {
    if (random instanceof RandomState) return random;
    return random.stream('initialization').fork(this.hierarchicalName(parameter));
  }

  /** The size of a named input or output, undefined when not known. For overriding. */
  protected dimensionOf(_name: string): Dimension | undefined {
    return undefined;
  }

  /** Makes this brick's own parameters. For overriding. */
  protected allocateParameters(): void {}

  /** Gives this brick's own parameters values. For overriding. */
  protected initializeParameters(_random: RandomSource): void {}

  /** Sets the arguments of the children that follow from this brick's. For overriding. */
  protected pushAllocation(): void {}

  /** Sets how the children initialize. For overriding. */
  protected pushInitialization(): void {}

  /**
   * What to construct a {@link copy} of this brick with, copies being put in the places of bricks. For overriding where the constructor takes anything
   * but one object of options that it hands up as it is: `return [this.activations, options]`.
   *
   * @param options those that this brick was constructed with, to be handed up, with the name of the copy
   */
  protected constructorArguments(options: BrickOptions): readonly unknown[] {
    return [options];
  }

  /**
   * Takes over what was set on the brick of which this is a new copy: lazy arguments, and fields that hold numbers, strings or truth values, alone or in arrays; of
   * its children likewise. For extending where more can be set.
   */
  protected carryOver(original: this): void {
    carryOverFields(original, this);
    for (const [application, { ownAttributes }] of original.#applications) {
      for (const [name, value] of ownAttributes) this.bound(application).setAttribute(name, value);
    }
    const { allocationConfigPushed, initializationConfigPushed } = original.#stages;
    Object.assign(this.#stages, { allocationConfigPushed, initializationConfigPushed });
    checkChildren(original, this);
    for (const [at, child] of original.#children.entries()) this.#children[at]?.carryOver(child);
  }
}
