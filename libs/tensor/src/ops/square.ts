import { unary } from './elementwise.js';
import { mul } from './mul.js';

/** `x · x` */
export const square = unary('square', {
  accepts: 'number',
  compute: (x) => x * x,
  gradients: (gradient, [x]) => [mul(gradient, mul(x, 2))],
});
