import { binary } from './elementwise.js';
import { ge } from './ge.js';
import { where } from './where.js';

/** The larger of `a` and `b`, broadcasting; NaN where either is. Where they are equal, the gradient goes to `a`. */
export const maximum = binary('maximum', {
  accepts: 'number',
  compute: (a, b) => Math.max(a, b),
  gradients(gradient, [a, b]) {
    const first = ge(a, b);
    return [where(first, gradient, 0), where(first, 0, gradient)];
  },
});
