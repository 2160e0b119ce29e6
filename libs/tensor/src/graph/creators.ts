import { DTYPES, type DType } from '@longrun/serialization';

import { checkArguments } from './arguments.js';
import { floatX } from './float-x.js';
import { oneOf } from './one-of.js';
import { assertDims, type Dim } from './tensor-type.js';
import { Variable } from './variable.js';

/**
 * An input of the graph: `tensor('features', 'float32', ['batch', 784])`; where only the data tell the size, a name or null (see `Dim`).
 *
 * @throws TensorTypeError where a size is not an integer of 0 or more, or a name is empty or reads as a size.
 */
export function tensor(name: string, dtype: DType, shape: readonly Dim[]): Variable {
  checkArguments('tensor', ['name', name, 'text']);
  oneOf('tensor', `the dtype of ${name}`, dtype, DTYPES);
  checkArguments('tensor', ['name', name, 'text'], ['dtype', dtype, 'text'], ['shape', shape, 'dims']);
  assertDims(`tensor: \`${name}\``, shape);
  return new Variable({ dtype, shape: [...shape] }, { name });
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
