import { ndarray } from '@longrun/serialization';
import { shared, tagKey, type SharedVariable, type Variable } from '@longrun/tensor';

import { addRole, ALGORITHM_BUFFER, ALGORITHM_HYPERPARAMETER } from '../roles.js';

const FOR_PARAMETER = tagKey<SharedVariable>('forParameter');

const FIRST_VALUE = tagKey<number>('firstValue');

/** What a hyperparameter was built with, whatever has become of it since; undefined of any other variable. */
export function firstValue(variable: Variable): number | undefined {
  return variable.tag.get(FIRST_VALUE);
}

/** The parameter that a buffer belongs to. */
export function forParameter(buffer: Variable): SharedVariable | undefined {
  return buffer.tag.get(FOR_PARAMETER);
}

/** A float64 scalar that can be changed while training. In float64 it is what was written, and a counter can count. */
export function hyperparameter(name: string, value: number): SharedVariable {
  const variable = shared(value, name, { dtype: 'float64' });
  addRole(variable, ALGORITHM_HYPERPARAMETER);
  variable.tag.set(FIRST_VALUE, value);
  return variable;
}

/** A float64 scalar that starts at `value` and that the algorithm updates. */
export function scalarBuffer(name: string, value: number): SharedVariable {
  const variable = shared(value, name, { dtype: 'float64' });
  addRole(variable, ALGORITHM_BUFFER);
  return variable;
}

/** Zeros of the type of a parameter, which it belongs to. */
export function bufferFor(parameter: SharedVariable, name: string): SharedVariable {
  const { dtype, shape } = parameter.valueType;
  const variable = shared(ndarray(dtype, shape), name);
  addRole(variable, ALGORITHM_BUFFER);
  variable.tag.set(FOR_PARAMETER, parameter);
  return variable;
}
