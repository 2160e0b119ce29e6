import type { DType } from '@longrun/serialization';

import type { Dim } from './tensor-type.js';
import { Variable } from './variable.js';

/** An input of the graph: `tensor('features', 'float32', [null, 784])`; null where only the data tell the size. */
export function tensor(name: string, dtype: DType, shape: readonly Dim[]): Variable {
  return new Variable({ dtype, shape: [...shape] }, { name });
}

/** A 0-d input, float32 unless `dtype` is given. */
export function scalar(name: string, dtype: DType = 'float32'): Variable {
  return tensor(name, dtype, []);
}

/** A 1-d input of unknown size, float32 unless `dtype` is given. */
export function vector(name: string, dtype: DType = 'float32'): Variable {
  return tensor(name, dtype, [null]);
}

/** A 2-d input of unknown sizes, float32 unless `dtype` is given. */
export function matrix(name: string, dtype: DType = 'float32'): Variable {
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
