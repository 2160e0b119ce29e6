import { unary } from './elementwise.js';
import { mul } from './mul.js';
import { sub } from './sub.js';

/** `1 / (1 + e^-x)`: the sigmoid, under the name Blocks gives it. */
export const logistic = unary('logistic', {
  accepts: 'float',
  compute: (x) => 1 / (1 + Math.exp(-x)),
  gradients: (gradient, _inputs, output) => [mul(gradient, mul(output, sub(1, output)))],
});
