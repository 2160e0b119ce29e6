import { checkArguments, checkOption } from '../graph/arguments.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { and } from './and.js';
import { any } from './any.js';
import { normalizeAxes } from './axis.js';
import { cast, toFloat } from './cast.js';
import { eq } from './eq.js';
import { isnan } from './isnan.js';
import { max } from './max.js';
import { min } from './min.js';
import { neq } from './neq.js';
import { not } from './not.js';
import { pow } from './pow.js';
import type { ReductionOptions } from './reduction.js';
import { sqrt } from './sqrt.js';
import { square } from './square.js';
import { sum } from './sum.js';
import { where } from './where.js';

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
 * its gradient is 0 too, as PyTorch has it.
 */
export function norm(x: Variable, options: NormOptions = {}): Variable {
  checkArguments('norm', ['x', x, 'variable'], ['options', options, 'options']);
  checkOption('norm', 'order', options.order, 'number');
  const { order = 2, keepdims = false } = options;
  const axes = { axis: normalizeAxes('norm', x, options.axis), keepdims };
  const float = toFloat(x);
  switch (order) {
    case 0:
      return cast(sum(neq(float, 0), axes), float.dtype);
    case 1:
      return sum(abs(float), axes);
    case 2:
      return power(sum(square(float), axes), 0.5);
    case Infinity:
      return max(abs(float), axes);
    case -Infinity:
      return min(abs(float), axes);
    default:
      return order < 0 ? inverse(abs(float), order, axes) : power(sum(power(abs(float), order), axes), 1 / order);
  }
}

/**
 * The square root of the sum of all squares of all tensors together, a scalar: Blocks' `l2_norm`, by which gradients are scaled.
 * Where it is 0, its gradient is 0 too.
 */
export function l2Norm(tensors: readonly Variable[]): Variable {
  checkArguments('l2Norm', ['tensors', tensors, 'variables']);
  const [first, ...rest] = tensors.map((tensor) => sum(square(toFloat(tensor))));
  if (first === undefined) throw new TensorTypeError('l2Norm: there are no tensors; give one or more');
  return power(
    rest.reduce((total, squares) => add(total, squares), first),
    0.5,
  );
}

/** The norm of a negative order, which is 0 where an element is: the power of that one is infinite, and so has no gradient. */
function inverse(magnitudes: Variable, order: number, axes: ReductionOptions): Variable {
  const isZero = eq(magnitudes, 0);
  const total = sum(pow(where(isZero, 1, magnitudes), order), axes);
  return where(and(any(isZero, axes), not(isnan(total))), 0, pow(total, 1 / order));
}

/** A power of what is not negative; at 0, where the gradient of a root is infinite, the gradient is 0. */
function power(x: Variable, exponent: number): Variable {
  if (exponent >= 1) return pow(x, exponent);
  const isZero = eq(x, 0);
  const base = where(isZero, 1, x);
  return where(isZero, 0, exponent === 0.5 ? sqrt(base) : pow(base, exponent));
}
