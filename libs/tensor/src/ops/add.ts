import { binary } from './elementwise.js';

/** `a + b`, broadcasting. */
export const add = binary('add', {
  accepts: 'number',
  compute: (a, b) => a + b,
  gradients: (gradient) => [gradient, gradient],
});
