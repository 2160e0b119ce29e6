import { at } from '../arrays/at.js';
import { unary } from './elementwise.js';
import { exp } from './exp.js';
import { mul } from './mul.js';
import { neg } from './neg.js';
import { square } from './square.js';

/** The error function, `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to x. */
export const erf = unary('erf', {
  accepts: 'float',
  compute: (x) => (Math.abs(x) < 0.5 ? erfNearZero(x) : Math.sign(x) * (1 - erfc(Math.min(Math.abs(x), ERF_IS_ONE)))),
  gradients: (gradient, [x]) => [mul(gradient, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))],
});

/** From here on erf is 1 in float64. */
export const ERF_IS_ONE = 6;

/** The series of erf: `x * sum(coefficient * x^(2k))`; enough of it for float64 below 0.5. */
export const ERF_SERIES: readonly number[] = seriesCoefficients(13);

/**
 * The trapezoids under the integral `erfc(x) = x / pi * e^(-x^2) * integral of e^(-t^2) / (t^2 + x^2)`, by which it is exact to float64
 * from 0.5 up: the sum of `weight / (square + x^2)`, less `2 / (e^(rate * x) - 1)` for the pole (Hunter and Regan 1972).
 */
export const ERFC_TRAPEZOIDS = trapezoids(0.5, 13);

function erfNearZero(x: number): number {
  return x * ERF_SERIES.reduceRight((sum, coefficient) => sum * x * x + coefficient, 0);
}

function erfc(x: number): number {
  const { squares, weights, rate } = ERFC_TRAPEZOIDS;
  const sum = weights.reduce((sofar, weight, k) => sofar + weight / (at(squares, k) + x * x), 0);
  return x * Math.exp(-x * x) * sum - 2 / Math.expm1(rate * x);
}

function seriesCoefficients(terms: number): number[] {
  let factor = 2 / Math.sqrt(Math.PI);
  return Array.from({ length: terms }, (_, k) => {
    if (k > 0) factor /= -k;
    return factor / (2 * k + 1);
  });
}

function trapezoids(step: number, terms: number): { squares: number[]; weights: number[]; rate: number } {
  const squares = Array.from({ length: terms + 1 }, (_, k) => (k * step) ** 2);
  // The integral is over all numbers: each trapezoid but that at 0 stands for two.
  const weights = squares.map((power, k) => ((k === 0 ? 1 : 2) * step * Math.exp(-power)) / Math.PI);
  return { squares, weights, rate: (2 * Math.PI) / step };
}
