import { DTYPES, type DType } from '@longrun/serialization';

import { checkArguments, checkOption, shown } from '../graph/arguments.js';
import { oneOf } from '../graph/one-of.js';
import { TensorTypeError } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import type { Operand } from './elementwise.js';
import { lt } from './lt.js';
import type { Draw } from './random-state.js';
import { unitUniform } from './random-uniform.js';
import { sum } from './sum.js';

/** Options of {@link randomBinomial}. */
export interface RandomBinomialOptions {
  /** How many trials each number counts the successes of; its cost is that of as many numbers. Default 1. */
  readonly n?: number;
  /** The probability of a success, or what broadcasts to the shape. Default 0.5. */
  readonly p?: Operand;
  /** Default int64, as in Theano. */
  readonly dtype?: DType;
}

/**
 * How many of n trials succeed, each with probability p, to a multiple of 2^-24 (2^-53 where p is float64): with one trial a mask of
 * zeros and ones. The same on every engine for the same p. No gradient flows through it.
 */
export function randomBinomial(
  state: Variable,
  shape: readonly (number | Variable)[],
  options: RandomBinomialOptions = {},
): Draw {
  checkArguments(
    'randomBinomial',
    ['state', state, 'variable'],
    ['shape', shape, 'sizes'],
    ['options', options, 'options'],
  );
  checkOption('randomBinomial', 'p', options.p, 'operand');
  const { n = 1, p = 0.5 } = options;
  const dtype = oneOf('randomBinomial', 'dtype', options.dtype ?? 'int64', DTYPES);
  if (!Number.isInteger(n) || n < 0) {
    throw new TensorTypeError(`randomBinomial: ${shown(n)} trials cannot be made; give an integer from 0 on`);
  }
  if (typeof p === 'number' && !(p >= 0 && p <= 1)) {
    throw new TensorTypeError(`randomBinomial: p is ${p}; give a probability in 0..1`);
  }
  const precision = typeof p !== 'number' && p.dtype === 'float64' ? 'float64' : 'float32';
  const { values: units, state: next } = unitUniform(state, [n, ...shape], precision);
  return { values: cast(sum(cast(lt(units, p), dtype), { axis: 0 }), dtype), state: next };
}
