import { unary } from './elementwise.js';
import { exp } from './exp.js';
import { mul } from './mul.js';

/** `e^x - 1`, exact near 0 too. */
export const expm1 = unary('expm1', {
  accepts: 'float',
  compute: (x) => Math.expm1(x),
  gradients: (gradient, [x]) => [mul(gradient, exp(x))],
});
