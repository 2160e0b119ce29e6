import { checkArguments, checkOption } from '../graph/arguments.js';
import { FLOATS, floatX, type FloatX } from '../graph/float-x.js';
import { oneOf } from '../graph/one-of.js';
import type { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { cast } from './cast.js';
import type { Operand } from './elementwise.js';
import { mul } from './mul.js';
import { randomBits } from './random-bits.js';
import type { Draw } from './random-state.js';
import { sub } from './sub.js';

/** Options of {@link randomUniform}. */
export interface RandomUniformOptions {
  /** The least number, or what broadcasts to the shape. Default 0. */
  readonly low?: Operand;
  /** What numbers stay below, but for rounding; or what broadcasts to the shape. Default 1. */
  readonly high?: Operand;
  /** Default {@link floatX}. */
  readonly dtype?: FloatX;
}

/**
 * Numbers in [low, high), each equally likely: `low + u * (high - low)`, where u is in [0, 1), a multiple of 2^-24 (float32) or 2^-53
 * (float64), and has the same bits on every engine. So has the result, but that the reference engine rounds once and not after each op.
 *
 * Gradients flow to the bounds.
 */
export function randomUniform(
  state: Variable,
  shape: readonly (number | Variable)[],
  options: RandomUniformOptions = {},
): Draw {
  checkArguments(
    'randomUniform',
    ['state', state, 'variable'],
    ['shape', shape, 'sizes'],
    ['options', options, 'options'],
  );
  checkOption('randomUniform', 'low', options.low, 'operand');
  checkOption('randomUniform', 'high', options.high, 'operand');
  const { low = 0, high = 1 } = options;
  const dtype = oneOf('randomUniform', 'dtype', options.dtype ?? floatX(), FLOATS);
  const { values: unit, state: next } = unitUniform(state, shape, dtype);
  if (low === 0 && high === 1) return { values: unit, state: next };
  const [from, to] = [operandIn(dtype, low), operandIn(dtype, high)];
  const range = typeof from === 'number' && typeof to === 'number' ? to - from : sub(to, from);
  return { values: add(mul(unit, range), from), state: next };
}

/** Numbers in [0, 1), multiples of 2^-24 or 2^-53. */
export function unitUniform(state: Variable, shape: readonly (number | Variable)[], dtype: FloatX): Draw {
  const width = dtype === 'float32' ? 24 : 53;
  const drawn = randomBits(state, shape, { width });
  return { values: mul(cast(drawn.values, dtype), 2 ** -width), state: drawn.state };
}

/** A parameter of a distribution in the dtype of its numbers; a number takes it by itself. */
export function operandIn(dtype: FloatX, value: Operand): Operand {
  return typeof value === 'number' ? value : cast(value, dtype);
}
