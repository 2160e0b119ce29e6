import { DTYPES, type DType } from '@longrun/serialization';

import { checkArguments } from './arguments.js';
import { nameDimensions, type NamedDim } from './dimension-names.js';
import { floatX } from './float-x.js';
import { oneOf } from './one-of.js';
import { TensorTypeError } from './tensor-type.js';
import { Variable } from './variable.js';

/**
 * An input of the graph: `tensor('features', 'float32', ['batch', 784])`; where only the data tell the size, null or a name, such that
 * inputs of one function in which the same name stands must have the same size there.
 *
 * @throws TensorTypeError where a size is not an integer of 0 or more.
 */
export function tensor(name: string, dtype: DType, shape: readonly NamedDim[]): Variable {
  checkArguments('tensor', ['name', name, 'text']);
  oneOf('tensor', `the dtype of ${name}`, dtype, DTYPES);
  checkArguments('tensor', ['name', name, 'text'], ['dtype', dtype, 'text'], ['shape', shape, 'namedDims']);
  const wrong = shape.find((dim) => typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0));
  if (wrong !== undefined) {
    throw new TensorTypeError(`tensor: \`${name}\` cannot have a size of ${wrong}; give an integer of 0 or more`);
  }
  const variable = new Variable({ dtype, shape: shape.map((dim) => (typeof dim === 'string' ? null : dim)) }, { name });
  nameDimensions(variable, shape);
  return variable;
}

/** A 0-d input, {@link floatX} unless `dtype` is given. */
export function scalar(name: string, dtype: DType = floatX()): Variable {
  return tensor(name, dtype, []);
}

/** A 1-d input of unknown size, {@link floatX} unless `dtype` is given. */
export function vector(name: string, dtype: DType = floatX()): Variable {
  return tensor(name, dtype, [null]);
}

/** A 2-d input of unknown sizes, {@link floatX} unless `dtype` is given. */
export function matrix(name: string, dtype: DType = floatX()): Variable {
  return tensor(name, dtype, [null, null]);
}

/** An int32 {@link scalar}. */
export function iscalar(name: string): Variable {
  return scalar(name, 'int32');
}

/** An int32 {@link vector}. */
export function ivector(name: string): Variable {
  return vector(name, 'int32');
}

/** An int32 {@link matrix}. */
export function imatrix(name: string): Variable {
  return matrix(name, 'int32');
}

/** An int64 {@link vector}. */
export function lvector(name: string): Variable {
  return vector(name, 'int64');
}

/** An int64 {@link matrix}. */
export function lmatrix(name: string): Variable {
  return matrix(name, 'int64');
}
