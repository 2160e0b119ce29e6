import type { InputGradient } from '../graph/gradient-flow.js';
import { unary } from './elementwise.js';
import { mul } from './mul.js';
import { neg } from './neg.js';

/** Sine of an angle in radians. */
export const sin = unary('sin', {
  accepts: 'float',
  compute: (x) => Math.sin(x),
  gradients: (gradient, [x]): InputGradient[] => [mul(gradient, cos(x))],
});

/** Cosine of an angle in radians. */
export const cos = unary('cos', {
  accepts: 'float',
  compute: (x) => Math.cos(x),
  gradients: (gradient, [x]): InputGradient[] => [neg(mul(gradient, sin(x)))],
});
