import { ndarray, type DType, type NdArray } from '@longrun/serialization';
import { isFloat, shared, type SharedVariable } from '@longrun/tensor';

import { addAnnotation, setBlocksName } from '../graph/annotations.js';
import { addRole, type VariableRole } from '../roles.js';
import type { Brick } from './brick.js';
import { Lazy } from './lazy.js';

/**
 * Checks the shape of a variable that a brick is to have.
 *
 * @throws Error where a size is no whole number, naming the arguments of the brick that are none
 */
export function checkSizes(brick: Brick, name: string, shape: readonly number[]): void {
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

/** Makes a variable of a brick. @throws Error when it has one of that name */
export function variableOf(brick: Brick, name: string, value: NdArray, roles: readonly VariableRole[]): SharedVariable {
  if ([...brick.parameters, ...brick.states].some((present) => present.name === name)) {
    throw new Error(`${brick.uniquePath} has two parameters or states named ${name}; give one another name`);
  }
  const variable = shared(value, name);
  setBlocksName(variable, name);
  for (const role of roles) addRole(variable, role);
  addAnnotation(variable, brick);
  return variable;
}

/** A variable of a brick. Throws before `allocate()` and when there is none. */
export function variableNamed(brick: Brick, kind: 'parameter' | 'state', name: string): SharedVariable {
  const variables = kind === 'parameter' ? brick.parameters : brick.states;
  const found = variables.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  throw new Error(
    brick.allocated
      ? `${brick.uniquePath} has no ${kind} ${name}; it has ${variables.map(String).join(', ') || 'none'}`
      : `${brick.uniquePath}.${name} is not allocated yet; call allocate() or initialize() first`,
  );
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
