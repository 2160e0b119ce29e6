import type { InputGradient } from '../graph/gradient-flow.js';
import { binary } from './elementwise.js';
import { mul } from './mul.js';
import { neg } from './neg.js';

/** `a / b`, broadcasting. Integers are cast to floats first: Theano's true division. */
export const div = binary('div', {
  accepts: 'float',
  compute: (a, b) => a / b,
  gradients: (gradient, [, b], output): InputGradient[] => [div(gradient, b), neg(div(mul(gradient, output), b))],
});
