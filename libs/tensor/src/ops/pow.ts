import type { InputGradient } from '../graph/gradient-flow.js';
import { and } from './and.js';
import { binary } from './elementwise.js';
import { eq } from './eq.js';
import { ge } from './ge.js';
import { log } from './log.js';
import { mul } from './mul.js';
import { sub } from './sub.js';
import { where } from './where.js';

/** `a` to the power `b`, broadcasting. Integers are cast to floats first. */
export const pow = binary('pow', {
  accepts: 'float',
  compute: power,
  gradients: (gradient, [base, exponent], output): InputGradient[] => [
    // Of the power 0 everywhere 0, also at the base 0, where the second factor is infinite.
    mul(gradient, where(eq(exponent, 0), 0, mul(exponent, pow(base, sub(exponent, 1))))),
    // `0^b` is 0 for each b above 0 and 1 at 0; the logarithm is infinite.
    mul(gradient, where(and(eq(base, 0), ge(exponent, 0)), 0, mul(output, log(base)))),
  ],
});

/** C's pow, which ONNX Runtime uses: 1 to any power is 1, and so is -1 to an infinite one, where JavaScript says NaN. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  return base === -1 && Math.abs(exponent) === Infinity ? 1 : base ** exponent;
}
