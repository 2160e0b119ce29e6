import { isFloat } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { eq } from './eq.js';
import { reduce, type ReductionDefinition, type ReductionOptions } from './reduction.js';
import { where } from './where.js';

/** Maximum over axes; NaN where an element is. The gradient goes to every element that equals the maximum, as in Theano. */
export function max(x: Variable, options: ReductionOptions = {}): Variable {
  const native = isFloat(x.dtype) || x.dtype === 'int32' || x.dtype === 'int64';
  return native ? reduce(definition, x, options) : cast(reduce(definition, cast(x, 'int64'), options), x.dtype);
}

const definition: ReductionDefinition = {
  name: 'max',
  onnx: 'ReduceMax',
  compute: largest,
  gradient: (gradient, x, output) => where(eq(x, output), gradient, 0),
};

function largest(elements: Float64Array): number {
  if (elements.length === 0) throw new RangeError('max: an axis of size 0 has no maximum');
  return elements.reduce((sofar, element) => Math.max(sofar, element), -Infinity);
}
