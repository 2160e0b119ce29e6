import { unary } from './elementwise.js';

/** A new variable with the value of x: what a brick tags instead of x itself. Theano calls it `x.copy()`. */
export const identity = unary('identity', {
  accepts: 'any',
  compute: (x) => x,
  gradients: (gradient) => [gradient],
});
