import { DTYPES, type DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { checkArguments, shown } from '../graph/arguments.js';
import { oneOf } from '../graph/one-of.js';
import { isFloat, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { cumsum } from './cumsum.js';
import { dimension } from './dimension.js';
import { expandDims } from './expand-dims.js';
import { index } from './index-axis.js';
import { le } from './le.js';
import { mul } from './mul.js';
import { oneHot } from './one-hot.js';
import type { Draw } from './random-state.js';
import { unitUniform } from './random-uniform.js';
import { sum } from './sum.js';

/** Options of {@link randomMultinomial}. */
export interface RandomMultinomialOptions {
  /** How many are drawn of each row, with replacement. Default 1: one-hot rows. */
  readonly n?: number;
  /** Default int64, as in Theano. */
  readonly dtype?: DType;
}

/**
 * How often each of the classes (..., classes) comes, of n that are drawn of each row with the probabilities given, which are divided by
 * their sum: counts (..., classes). What has probability 0 never comes.
 *
 * A number in [0, 1), a multiple of 2^-24 (2^-53 where the probabilities are float64), is looked up among the running sums: the same on
 * every engine, unless it is as near to one of them as rounding goes. No gradient flows through it.
 */
export function randomMultinomial(
  state: Variable,
  probabilities: Variable,
  options: RandomMultinomialOptions = {},
): Draw {
  checkArguments(
    'randomMultinomial',
    ['state', state, 'variable'],
    ['probabilities', probabilities, 'variable'],
    ['options', options, 'options'],
  );
  const { n = 1 } = options;
  const dtype = oneOf('randomMultinomial', 'dtype', options.dtype ?? 'int64', DTYPES);
  const { ndim, dtype: precision } = probabilities;
  if (!Number.isInteger(n) || n < 0) {
    throw new TensorTypeError(`randomMultinomial: ${shown(n)} cannot be drawn; give an integer from 0 on`);
  }
  if (!isFloat(precision) || ndim === 0 || at(probabilities.shape, -1) === 0) {
    throw new TensorTypeError(
      `randomMultinomial: ${describe(probabilities)} are no probabilities; give floats of which the last axis is the classes, one at least`,
    );
  }
  const rows = probabilities.shape.slice(0, -1).map((_, axis) => dimension(probabilities, axis));
  const { values: units, state: next } = unitUniform(state, [n, ...rows], precision);
  const sums = cumsum(probabilities, { axis: -1 });
  // By the last sum and not by 1, which rounding may miss: so there is always a class.
  const positions = mul(units, index(sums, -1, { axis: -1 }));
  const passed = sum(cast(le(sums, expandDims(positions, -1)), 'int64'), { axis: -1 });
  const hot = oneHot(passed, dimension(probabilities, -1), dtype);
  return { values: cast(sum(hot, { axis: 0 }), dtype), state: next };
}
