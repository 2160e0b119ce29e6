import type { InputGradient } from '../graph/gradient-flow.js';
import { binary } from './elementwise.js';

/** `a * b`, elementwise, broadcasting. */
export const mul = binary('mul', {
  accepts: 'number',
  compute: (a, b) => a * b,
  gradients: (gradient, [a, b]): InputGradient[] => [mul(gradient, b), mul(gradient, a)],
});
