import { unary } from './elementwise.js';
import { logistic } from './logistic.js';
import { mul } from './mul.js';

/** `log(1 + e^x)`, without overflow. */
export const softplus = unary('softplus', {
  accepts: 'float',
  compute: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  gradients: (gradient, [x]) => [mul(gradient, logistic(x))],
});
