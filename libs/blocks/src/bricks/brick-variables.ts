import { ndarray, type DType, type NdArray } from '@longrun/serialization';
import { floatX, isFloat, shared, type SharedVariable } from '@longrun/tensor';

import { addAnnotation, setBlocksName, type Annotation } from '../graph/annotations.js';
import { addRole, PARAMETER, PERSISTENT, type VariableRole } from '../roles.js';
import { Lazy } from './lazy.js';

/** Options of a brick's own state. */
export interface StateOptions {
  /** Default `floatX()`. */
  readonly dtype?: DType;
  /** What every element is after `allocate()` and after `initialize()`. Default 0. */
  readonly initialValue?: number;
  /** Whether it is part of the model that others load. Else only training that goes on has it. Default true. */
  readonly isPersistent?: boolean;
}

/** A brick, as far as its variables know it: it annotates them, and errors name it. */
interface Owner extends Annotation {
  readonly uniquePath: string;
  readonly allocated: boolean;
}

/** The parameters and states that a brick has made, without those of its children. */
export class BrickVariables {
  readonly #brick: Owner;
  #parameters: SharedVariable[] = [];
  #states: { readonly variable: SharedVariable; readonly initial: NdArray }[] = [];

  constructor(brick: Owner) {
    this.#brick = brick;
  }

  get parameters(): readonly SharedVariable[] {
    return this.#parameters;
  }

  get states(): readonly SharedVariable[] {
    return this.#states.map(({ variable }) => variable);
  }

  /** True for one of them. */
  has(variable: SharedVariable): boolean {
    return this.#parameters.includes(variable) || this.states.includes(variable);
  }

  /** The one of that name. Throws before the brick is allocated and when there is none. */
  named(kind: 'parameter' | 'state', name: string): SharedVariable {
    const variables = kind === 'parameter' ? this.#parameters : this.states;
    const found = variables.find((candidate) => candidate.name === name);
    if (found !== undefined) return found;
    const { uniquePath, allocated } = this.#brick;
    throw new Error(
      allocated
        ? `${uniquePath} has no ${kind} ${name}; it has ${variables.map(String).join(', ') || 'none'}`
        : `${uniquePath}.${name} is not allocated yet; call allocate() or initialize() first`,
    );
  }

  /** Forgets them all. */
  clear(): void {
    this.#parameters = [];
    this.#states = [];
  }

  /** Gives the states their first values again. */
  restoreStates(): void {
    for (const { variable, initial } of this.#states) variable.setValue(initial);
  }

  /** See `Brick.parameter`. */
  addParameter(name: string, shape: readonly number[], role: VariableRole): SharedVariable {
    checkSizes(this.#brick, name, shape);
    const value = ndarray(floatX(), shape);
    value.data.fill(Number.NaN);
    const variable = this.#made(name, value, [PARAMETER, role]);
    this.#parameters.push(variable);
    return variable;
  }

  /** See `Brick.state`. */
  addState(name: string, shape: readonly number[], role: VariableRole, options: StateOptions): SharedVariable {
    checkSizes(this.#brick, name, shape);
    const { dtype = floatX(), initialValue = 0, isPersistent = true } = options;
    const initial = filled(dtype, shape, initialValue);
    if (initial === undefined) {
      throw new Error(
        `${this.#brick.uniquePath}.${name}: the initial value ${initialValue} is no ${dtype}; give another one or a float dtype`,
      );
    }
    const variable = this.#made(name, initial, isPersistent ? [PERSISTENT, role] : [role]);
    this.#states.push({ variable, initial });
    return variable;
  }

  #made(name: string, value: NdArray, roles: readonly VariableRole[]): SharedVariable {
    if ([...this.#parameters, ...this.states].some((present) => present.name === name)) {
      throw new Error(`${this.#brick.uniquePath} has two parameters or states named ${name}; give one another name`);
    }
    const variable = shared(value, name);
    setBlocksName(variable, name);
    for (const role of roles) addRole(variable, role);
    addAnnotation(variable, this.#brick);
    return variable;
  }
}

/** An array of one value; undefined when the dtype has no such value. */
export function filled(dtype: DType, shape: readonly number[], value: number): NdArray | undefined {
  const array = ndarray(dtype, shape);
  if (array.data instanceof BigInt64Array) {
    if (!Number.isSafeInteger(value)) return undefined;
    array.data.fill(BigInt(value));
    return array;
  }
  array.data.fill(value);
  const exact = isFloat(dtype) || array.data.every((element) => element === value);
  return exact && (dtype !== 'bool' || value <= 1) ? array : undefined;
}

/**
 * Checks the shape of a variable that a brick is to have.
 *
 * @throws Error where a size is no whole number, naming the arguments of the brick that are none
 */
function checkSizes(brick: Owner, name: string, shape: readonly number[]): void {
  if (shape.every(isSize)) return;
  const wrong = Object.values(brick)
    .flat()
    .filter(
      (field): field is Lazy<unknown> => field instanceof Lazy && field.isSet && ![field.value].flat().every(isSize),
    )
    .map((argument) => `${argument.name} is ${JSON.stringify(argument.value)}`);
  throw new Error(
    `${brick.uniquePath}: ${name} would have the shape (${shape.map((size) => JSON.stringify(size)).join(', ')}), as ` +
      `${wrong.join(' and ') || 'follows from its arguments'}; give whole numbers of at least 0`,
  );
}

function isSize(size: unknown): boolean {
  return Number.isSafeInteger(size) && Number(size) >= 0;
}
