import { DISCONNECTED, type InputGradient } from '../graph/gradient-flow.js';
import { choice } from './elementwise.js';

/** `a` where the bool `condition` is true, else `b`, broadcasting; Theano's `switch`. No gradient flows to the condition. */
export const where = choice('where', {
  accepts: 'any',
  compute: (condition, a, b) => (condition === 0 ? b : a),
  gradients: (gradient, [condition]): InputGradient[] => [
    DISCONNECTED,
    where(condition, gradient, 0),
    where(condition, 0, gradient),
  ],
});
