import { DISCONNECTED } from '../graph/gradient-flow.js';
import { unary } from './elementwise.js';

/** A new variable with the value of x, through which no gradient flows (Theano: `disconnected_grad`). */
export const stopGradient = unary('stopGradient', {
  accepts: 'any',
  compute: (x) => x,
  gradients: () => [DISCONNECTED],
});
