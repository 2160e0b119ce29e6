import type { InputGradient } from '../graph/gradient-flow.js';
import { unary } from './elementwise.js';
import { mul } from './mul.js';
import { neg } from './neg.js';

/** `1 / (1 + e^-x)`: the sigmoid, under the name Blocks gives it. */
export const logistic = unary('logistic', {
  accepts: 'float',
  compute(x) {
    const power = Math.exp(-Math.abs(x));
    return (x < 0 ? power : 1) / (1 + power);
  },
  // Not `1 - output`, which is 0 from 17 on in float32.
  gradients: (gradient, [x], output): InputGradient[] => [mul(mul(gradient, output), logistic(neg(x)))],
});
