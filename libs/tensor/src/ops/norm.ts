import { TensorTypeError } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { normalizeAxes } from './axis.js';
import { cast, toFloat } from './cast.js';
import { max } from './max.js';
import { min } from './min.js';
import { neq } from './neq.js';
import { pow } from './pow.js';
import type { ReductionOptions } from './reduction.js';
import { sqrt } from './sqrt.js';
import { square } from './square.js';
import { sum } from './sum.js';

/** Options of {@link norm}. */
export interface NormOptions extends ReductionOptions {
  /**
   * The power p of `sum(|x|^p)^(1/p)`. 0 counts what is not 0; Infinity and -Infinity are the largest and the smallest absolute value.
   * Default 2.
   */
  readonly order?: number;
}

/**
 * The norm of the elements along axes, as one vector: Theano's `x.norm(order)`. Integers are cast to floats first. Where it is 0,
 * the gradient of the default order is NaN.
 */
export function norm(x: Variable, options: NormOptions = {}): Variable {
  const { order = 2, keepdims = false } = options;
  const axes = { axis: normalizeAxes('norm', x, options.axis), keepdims };
  const float = toFloat(x);
  switch (order) {
    case 0:
      return cast(sum(neq(float, 0), axes), float.dtype);
    case 1:
      return sum(abs(float), axes);
    case 2:
      return sqrt(sum(square(float), axes));
    case Infinity:
      return max(abs(float), axes);
    case -Infinity:
      return min(abs(float), axes);
    default:
      return pow(sum(pow(abs(float), order), axes), 1 / order);
  }
}

/** The square root of the sum of all squares of all tensors together, a scalar: Blocks' `l2_norm`, by which gradients are scaled. */
export function l2Norm(tensors: readonly Variable[]): Variable {
  const [first, ...rest] = tensors.map((tensor) => sum(square(toFloat(tensor))));
  if (first === undefined) throw new TensorTypeError('l2Norm: there are no tensors; give one or more');
  return sqrt(rest.reduce((total, squares) => add(total, squares), first));
}
