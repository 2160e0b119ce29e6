import { add } from './add.js';
import { div } from './div.js';
import { unary } from './elementwise.js';

/** `log(1 + x)`, exact near 0 too; -Infinity at -1, NaN below. */
export const log1p = unary('log1p', {
  accepts: 'float',
  compute: (x) => Math.log1p(x),
  gradients: (gradient, [x]) => [div(gradient, add(x, 1))],
});
