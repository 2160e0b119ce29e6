import { ndarray, type DType, type NdArray, type RandomStream, type RandomStreams } from '@longrun/serialization';
import { floatX, type SharedVariable } from '@longrun/tensor';

import { Annotation } from '../graph/annotations.js';
import { PARAMETER, PERSISTENT, type VariableRole } from '../roles.js';
import { boundApplication, type BoundApplication } from './application.js';
import { filled, variableNamed, variableOf } from './brick-variables.js';
import { deepCopy, type Copies, type DeepCopyable } from './deep-copy.js';
import { Lazy } from './lazy.js';

/** Options of every brick. */
export interface BrickOptions {
  /** Its name in paths and variables. Default: the class name in lower case. */
  readonly name?: string | undefined;
}

/** Options of a brick's own state. */
export interface StateOptions {
  /** Default `floatX()`. */
  readonly dtype?: DType;
  /** What every element is after `allocate()` and after `initialize()`. Default 0. */
  readonly initialValue?: number;
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
export abstract class Brick extends Annotation implements DeepCopyable {
  readonly name: string;
  // Not #private, in bricks of any kind: copies are made field by field.
  private readonly childBricks: Brick[] = [];
  private readonly parentBricks: Brick[] = [];
  private ownParameters: SharedVariable[] = [];
  private ownStates: { readonly variable: SharedVariable; readonly initial: NdArray }[] = [];
  private readonly stages = {
    allocated: false,
    initialized: false,
    allocationConfigPushed: false,
    initializationConfigPushed: false,
    applied: false,
  };

  constructor(options: BrickOptions = {}) {
    super();
    this.name = options.name ?? new.target.name.toLowerCase();
    if (this.name === '' || /[/.:]/.test(this.name)) {
      throw new Error(`Brick name "${this.name}" cannot be part of a path; leave out "/", "." and ":"`);
    }
  }

  get children(): readonly Brick[] {
    return this.childBricks;
  }

  get parents(): readonly Brick[] {
    return this.parentBricks;
  }

  /** The parameters of this brick alone, without those of its children. Empty before `allocate()`. */
  get parameters(): readonly SharedVariable[] {
    return this.ownParameters;
  }

  /** What this brick alone remembers besides its parameters. Empty before `allocate()`. */
  get states(): readonly SharedVariable[] {
    return this.ownStates.map(({ variable }) => variable);
  }

  get allocated(): boolean {
    return this.stages.allocated;
  }

  get initialized(): boolean {
    return this.stages.initialized;
  }

  get allocationConfigPushed(): boolean {
    return this.stages.allocationConfigPushed;
  }

  get initializationConfigPushed(): boolean {
    return this.stages.initializationConfigPushed;
  }

  /** `/mlp/linear_0`: the names from the root down, through the first parent by name where there are several. */
  get uniquePath(): string {
    const [parent] = this.parentBricks.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return `${parent?.uniquePath ?? ''}/${this.name}`;
  }

  /** `/mlp/linear_0.W` of a parameter or a state of this brick. */
  hierarchicalName(variable: SharedVariable): string {
    if (!this.ownParameters.includes(variable) && !this.states.includes(variable)) {
      throw new Error(`${variable.toString()} is not a parameter or a state of ${this.uniquePath}`);
    }
    return `${this.uniquePath}.${variable.name}`;
  }

  /** The parameter of that name. Throws before `allocate()` and when there is none. */
  parameterNamed(name: string): SharedVariable {
    return variableNamed(this, 'parameter', name);
  }

  /** The state of that name. Throws before `allocate()` and when there is none. */
  stateNamed(name: string): SharedVariable {
    return variableNamed(this, 'state', name);
  }

  /** The application method `name` of this brick, as a value. */
  application(name: string): BoundApplication {
    return boundApplication(this, name);
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
    for (const child of this.childBricks) child.pushAllocationConfig();
    this.stages.allocationConfigPushed = true;
  }

  /**
   * Makes the parameters, filled with NaN, and the states, children's first. Throws when an argument is missing.
   *
   * A child that was applied keeps the parameters and states that it has, for a graph has them too. (Blocks made new ones: a brick shared by
   * two parents lost its parameters to the graph of the first as the second was applied.)
   */
  allocate(): void {
    this.requireLazies();
    if (!this.stages.allocationConfigPushed) this.pushAllocationConfig();
    for (const child of this.childBricks) if (!child.stages.applied) child.allocate();
    this.ownParameters = [];
    this.ownStates = [];
    this.clearAnnotation();
    this.stages.initialized = false;
    this.allocateParameters();
    this.stages.allocated = true;
  }

  /** Allocates what is not allocated yet, and keeps the parameters from now on. For applications. */
  prepareToApply(): void {
    if (!this.stages.allocated) this.allocate();
    this.stages.applied = true;
  }

  /** Hands down to the children how they initialize, and so on downwards. */
  pushInitializationConfig(): void {
    this.pushInitialization();
    for (const child of this.childBricks) child.pushInitializationConfig();
    this.stages.initializationConfigPushed = true;
  }

  /**
   * Gives the parameters values, and the states their first ones again, children's first, allocating what is not allocated.
   *
   * Each parameter draws from a stream of its own, that its path names, so that neither order nor the other parameters matter.
   * (Blocks drew all from one generator, in order: adding a layer changed the values of the others.)
   */
  initialize(random: RandomStreams): void {
    if (!this.stages.allocated) this.allocate();
    if (!this.stages.initializationConfigPushed) this.pushInitializationConfig();
    for (const child of this.childBricks) child.initialize(random);
    for (const { variable, initial } of this.ownStates) variable.setValue(initial);
    this.initializeParameters(random);
    this.stages.initialized = true;
  }

  /**
   * A brick with the same configuration and copies of the children, but without parents (Python: `deepcopy`).
   * Throws once this one is allocated: its parameters would be meant to be shared, or not.
   */
  copy(name?: string): this {
    if (this.stages.allocated)
      throw new Error(`${this.uniquePath}: only bricks that are not allocated yet can be copied`);
    const copy = this.deepCopy(new Map());
    return name === undefined ? copy : Object.assign(copy, { name });
  }

  /** {@link copy} as a part of something larger. */
  deepCopy(copies: Copies): this {
    const copy: this = Object.create(Object.getPrototypeOf(this));
    copies.set(this, copy);
    for (const [field, value] of Object.entries(this)) {
      // Parents outside of what is copied are not the copy's parents; those inside enter themselves below.
      Object.assign(copy, { [field]: field === 'parentBricks' ? [] : deepCopy(value, copies) });
    }
    for (const child of copy.childBricks) child.parentBricks.push(copy);
    return copy;
  }

  override toString(): string {
    return this.uniquePath;
  }

  /** Adds a part. Throws when it is a child already. */
  protected addChild(child: Brick): void {
    if (this.childBricks.includes(child))
      throw new Error(`${child.uniquePath} is already a child of ${this.uniquePath}`);
    this.childBricks.push(child);
    child.parentBricks.push(this);
  }

  /** Makes a parameter of dtype `floatX()` filled with NaN, so that a use before `initialize()` shows. To be called in `allocateParameters()`. */
  protected parameter(name: string, shape: readonly number[], role: VariableRole = PARAMETER): SharedVariable {
    const value = ndarray(floatX(), shape);
    value.data.fill(Number.NaN);
    const variable = variableOf(this, name, value, [PARAMETER, role]);
    this.ownParameters.push(variable);
    return variable;
  }

  /**
   * Makes a state: a variable that is saved with the model but not trained, such as a running mean. What updates it is a graph that
   * the algorithm runs: see `addUpdate`. To be called in `allocateParameters()`.
   *
   * @param role PERSISTENT or one derived from it; any other is given besides PERSISTENT
   * @throws Error when the dtype has no such initial value
   */
  protected state(
    name: string,
    shape: readonly number[],
    role: VariableRole = PERSISTENT,
    options: StateOptions = {},
  ): SharedVariable {
    const { dtype = floatX(), initialValue = 0 } = options;
    const initial = filled(dtype, shape, initialValue);
    if (initial === undefined) {
      throw new Error(
        `${this.uniquePath}.${name}: the initial value ${initialValue} is no ${dtype}; give another one or a float dtype`,
      );
    }
    const variable = variableOf(this, name, initial, [PERSISTENT, role]);
    this.ownStates.push({ variable, initial });
    return variable;
  }

  /** The random stream from which a parameter of this brick is initialized. */
  protected randomFor(parameter: SharedVariable, random: RandomStreams): RandomStream {
    return random.stream('initialization').fork(this.hierarchicalName(parameter));
  }

  /** The size of a named input or output, undefined when not known. For overriding. */
  protected dimensionOf(_name: string): Dimension | undefined {
    return undefined;
  }

  /** Makes this brick's own parameters. For overriding. */
  protected allocateParameters(): void {}

  /** Gives this brick's own parameters values. For overriding. */
  protected initializeParameters(_random: RandomStreams): void {}

  /** Sets the arguments of the children that follow from this brick's. For overriding. */
  protected pushAllocation(): void {}

  /** Sets how the children initialize. For overriding. */
  protected pushInitialization(): void {}

  private requireLazies(): void {
    const lazies = Object.values(this)
      .flat()
      .filter((field): field is Lazy<unknown> => field instanceof Lazy);
    const missing = [...new Set(lazies)].filter((argument) => !argument.isSet).map((argument) => argument.name);
    if (missing.length === 0) return;
    throw new Error(
      `${this.uniquePath}: allocation config not set: ${missing.join(', ')}; ` +
        `give ${missing.length === 1 ? 'it' : 'them'} to the constructor, or set ${missing.map((name) => `${name}.value`).join(', ')}`,
    );
  }
}
