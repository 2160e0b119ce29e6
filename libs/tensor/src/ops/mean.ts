import { isFloat, floatFor } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { dimension } from './dimension.js';
import { div } from './div.js';
import { fill } from './fill.js';
import { mul } from './mul.js';
import { reduce, staticCount, type ReductionDefinition, type ReductionOptions } from './reduction.js';

/** Mean over axes; NaN over an empty axis. Bools and narrow integers are averaged in float32, 32 and 64-bit integers in float64. */
export function mean(x: Variable, options: ReductionOptions = {}): Variable {
  return reduce(definition, isFloat(x.dtype) ? x : cast(x, floatFor(x.dtype)), options);
}

const definition: ReductionDefinition = {
  name: 'mean',
  onnx: 'ReduceMean',
  compute: (elements) => elements.reduce((total, element) => total + element, 0) / elements.length,
  gradient: (gradient, x, _output, axes) => fill(x, div(gradient, countOf(x, axes))),
};

function countOf(x: Variable, axes: readonly number[]): Variable | number {
  return (
    staticCount(x, axes) ??
    axes.map((axis) => cast(dimension(x, axis), x.dtype)).reduce((product, size) => mul(product, size))
  );
}
