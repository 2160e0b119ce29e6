import { sizeOf } from '@longrun/serialization';

import { checkArguments, checkOption } from '../graph/arguments.js';
import { FLOATS, floatX, type FloatX } from '../graph/float-x.js';
import { oneOf } from '../graph/one-of.js';
import { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { cast } from './cast.js';
import { concatenate } from './concatenate.js';
import { floorDiv } from './division.js';
import type { Operand } from './elementwise.js';
import { index } from './index-axis.js';
import { log } from './log.js';
import { mul } from './mul.js';
import type { Draw } from './random-state.js';
import { operandIn, unitUniform } from './random-uniform.js';
import { reshape } from './reshape.js';
import { slice } from './slice.js';
import { sqrt } from './sqrt.js';
import { sub } from './sub.js';
import { cos, sin } from './trigonometry.js';

/** Options of {@link randomNormal}. */
export interface RandomNormalOptions {
  /** Or what broadcasts to the shape. Default 0. */
  readonly mean?: Operand;
  /** The standard deviation, or what broadcasts to the shape. Default 1. */
  readonly std?: Operand;
  /** Default {@link floatX}. */
  readonly dtype?: FloatX;
}

/**
 * Numbers of the normal distribution: `mean + z * std`. No z is farther from 0 than 5.8 (float32) or 8.6 (float64).
 *
 * They are made of the same bits on every engine, with its own logarithm, sine and cosine: z differs between engines by at most 2e-6
 * (float32) or 4e-15 (float64), times |z| where that is above 1. Gradients flow to mean and std.
 *
 * Source: Box and Muller, "A note on the generation of random normal deviates" (1958).
 */
export function randomNormal(
  state: Variable,
  shape: readonly (number | Variable)[],
  options: RandomNormalOptions = {},
): Draw {
  checkArguments(
    'randomNormal',
    ['state', state, 'variable'],
    ['shape', shape, 'sizes'],
    ['options', options, 'options'],
  );
  checkOption('randomNormal', 'mean', options.mean, 'operand');
  checkOption('randomNormal', 'std', options.std, 'operand');
  const { mean = 0, std = 1 } = options;
  const dtype = oneOf('randomNormal', 'dtype', options.dtype ?? floatX(), FLOATS);
  const count = countOf(shape);
  const pairs = typeof count === 'number' ? Math.ceil(count / 2) : floorDiv(add(count, 1), 2);
  const { values: units, state: next } = unitUniform(state, [2, pairs], dtype);
  // Of 1 - u, as u may be 0. The angle is taken around 0, where floats are dense.
  const radius = sqrt(mul(log(sub(1, index(units, 0))), -2));
  const angle = mul(sub(index(units, 1), 0.5), 2 * Math.PI);
  const flat = concatenate([mul(radius, cos(angle)), mul(radius, sin(angle))], 0);
  const standard = reshape(slice(flat, 0, count), shape);
  const scaled = std === 1 ? standard : mul(standard, operandIn(dtype, std));
  return { values: mean === 0 ? scaled : add(scaled, operandIn(dtype, mean)), state: next };
}

function countOf(shape: readonly (number | Variable)[]): number | Variable {
  const known = sizeOf(shape.filter((size) => typeof size === 'number'));
  const computed = shape.filter((size) => size instanceof Variable).map((size) => cast(size, 'int64'));
  return computed.reduce<number | Variable>((count, size) => mul(size, count), known);
}
