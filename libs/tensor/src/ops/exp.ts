import { unary } from './elementwise.js';
import { mul } from './mul.js';

/** `e^x` */
export const exp = unary('exp', {
  accepts: 'float',
  compute: (x) => Math.exp(x),
  gradients: (gradient, _inputs, output) => [mul(gradient, output)],
});
