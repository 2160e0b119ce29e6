import { unary } from './elementwise.js';
import { gt } from './gt.js';
import { where } from './where.js';

/** `max(x, 0)`; its gradient at 0 is 0. */
export const rectifier = unary('rectifier', {
  accepts: 'number',
  compute: (x) => Math.max(x, 0),
  gradients: (gradient, [x]) => [where(gt(x, 0), gradient, 0)],
});
