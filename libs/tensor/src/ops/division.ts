import type { InputGradient } from '../graph/gradient-flow.js';
import { binary } from './elementwise.js';
import { zerosLike } from './fill.js';
import { mul } from './mul.js';
import { neg } from './neg.js';

/** `a / b` rounded down, broadcasting: NumPy's `//`. By 0: of integers 0, of floats `a / b`. Its gradients are 0 everywhere. */
export const floorDiv = binary('floorDiv', {
  accepts: 'number',
  compute(a, b) {
    if (b === 0) return a / b;
    // Not the floor of a / b, which rounding may have lifted to the next integer: 1 // 0.1 is 9.
    const quotient = Math.round((a - (a % b)) / b);
    return isBelow(a, b) ? quotient - 1 : quotient;
  },
  gradients: (_gradient, [a, b]) => [zerosLike(a), zerosLike(b)],
});

/** `a - b * floorDiv(a, b)`, which has the sign of `b`, broadcasting, as in NumPy and Theano. By 0: of integers 0, of floats NaN. */
export const mod = binary('mod', {
  accepts: 'number',
  compute: (a, b) => (isBelow(a, b) ? (a % b) + b : a % b),
  gradients: (gradient, [a, b]): InputGradient[] => [gradient, neg(mul(gradient, floorDiv(a, b)))],
});

/** Whether the quotient lies below the integer that it is truncated to. */
function isBelow(a: number, b: number): boolean {
  const remainder = a % b;
  return remainder !== 0 && remainder < 0 !== b < 0;
}
