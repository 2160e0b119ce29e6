import { binary } from './elementwise.js';
import { neg } from './neg.js';

/** `a - b`, broadcasting. */
export const sub = binary('sub', {
  accepts: 'number',
  compute: (a, b) => a - b,
  gradients: (gradient) => [gradient, neg(gradient)],
});
