import { binary } from './elementwise.js';
import { le } from './le.js';
import { where } from './where.js';

/** The smaller of `a` and `b`, broadcasting; NaN where either is. Where they are equal, the gradient goes to `a`. */
export const minimum = binary('minimum', {
  accepts: 'number',
  compute: (a, b) => Math.min(a, b),
  gradients(gradient, [a, b]) {
    const first = le(a, b);
    return [where(first, gradient, 0), where(first, 0, gradient)];
  },
});
