import { div } from './div.js';
import { unary } from './elementwise.js';
import { mul } from './mul.js';

/** Square root; NaN below 0. */
export const sqrt = unary('sqrt', {
  accepts: 'float',
  compute: (x) => Math.sqrt(x),
  gradients: (gradient, _inputs, output) => [div(mul(gradient, 0.5), output)],
});
