import { unary } from './elementwise.js';
import { mul } from './mul.js';
import { sign } from './sign.js';

/** Absolute value; its gradient at 0 is 0. */
export const abs = unary('abs', {
  accepts: 'number',
  compute: (x) => Math.abs(x),
  gradients: (gradient, [x]) => [mul(gradient, sign(x))],
});
