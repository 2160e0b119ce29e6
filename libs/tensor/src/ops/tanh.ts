import { unary } from './elementwise.js';
import { mul } from './mul.js';
import { square } from './square.js';
import { sub } from './sub.js';

/** Hyperbolic tangent. */
export const tanh = unary('tanh', {
  accepts: 'float',
  compute: (x) => Math.tanh(x),
  gradients: (gradient, _inputs, output) => [mul(gradient, sub(1, square(output)))],
});
