import { div } from './div.js';
import { unary } from './elementwise.js';

/** Natural logarithm; -Infinity at 0, NaN below. */
export const log = unary('log', {
  accepts: 'float',
  compute: (x) => Math.log(x),
  gradients: (gradient, [x]) => [div(gradient, x)],
});
