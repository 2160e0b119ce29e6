import { unary } from './elementwise.js';
import { zerosLike } from './fill.js';

/** -1, 0 or 1; its gradient is 0 everywhere. */
export const sign = unary('sign', {
  accepts: 'number',
  compute: (x) => Math.sign(x),
  gradients: (_gradient, [x]) => [zerosLike(x)],
});
