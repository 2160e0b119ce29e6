import { unary } from './elementwise.js';
import { zerosLike } from './fill.js';

/** The largest integer that is not above x, in the dtype of x; its gradient is 0 everywhere. */
export const floor = unary('floor', {
  accepts: 'number',
  compute: (x) => Math.floor(x),
  gradients: (_gradient, [x]) => [zerosLike(x)],
});

/** The smallest integer that is not below x, in the dtype of x; its gradient is 0 everywhere. */
export const ceil = unary('ceil', {
  accepts: 'number',
  compute: (x) => Math.ceil(x),
  gradients: (_gradient, [x]) => [zerosLike(x)],
});

/** The nearest integer, of two that are equally near the even one, as NumPy and Theano's `half_to_even`; its gradient is 0 everywhere. */
export const round = unary('round', {
  accepts: 'number',
  compute: halfToEven,
  gradients: (_gradient, [x]) => [zerosLike(x)],
});

function halfToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
