import type { InputGradient } from '../graph/gradient-flow.js';
import { unary } from './elementwise.js';

/** `-x` */
export const neg = unary('neg', {
  accepts: 'number',
  compute: (x) => -x,
  gradients: (gradient): InputGradient[] => [neg(gradient)],
});
