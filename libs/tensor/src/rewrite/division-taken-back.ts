import { at } from '../arrays/at.js';
import { isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { add } from '../ops/add.js';
import { dimshuffle } from '../ops/dimshuffle.js';
import { div } from '../ops/div.js';
import { fill } from '../ops/fill.js';
import { mul } from '../ops/mul.js';
import { neg } from '../ops/neg.js';
import { eitherWay, hole } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { REACH, type View } from './view.js';

/**
 * `(a / s) * s` as `a`, for a softmax or a sigmoid s, which may be 0 only by underflow: as gradients of logarithms have it, also in sums, in
 * products with others, and of the elements that labels pick.
 */
export const divisionTakenBack: Rewrite = {
  name: 'division taken back',
  pattern: eitherWay('mul', hole('quotient'), hole('positive', isPositive)),
  replacement(match) {
    const [quotient, s] = [match.of('quotient'), match.of('positive')];
    const { shape } = match.node.output;
    if (!hasShape(s, shape)) return undefined;
    const product = undivided(quotient, s, match.view);
    if (product === undefined) return undefined;
    return hasShape(product, shape) ? product : fill(s, product);
  },
};

function isPositive(variable: Variable, view: View): boolean {
  return view.operandsOf('softmax', variable) !== undefined || view.operandsOf('logistic', variable) !== undefined;
}

/** `u * s` without the divisions by `s` in `u`; undefined where there are none. */
function undivided(u: Variable, s: Variable, view: View, reach = REACH): Variable | undefined {
  if (reach === 0) return undefined;
  const sum = view.operandsOf('add', u);
  if (sum === undefined) return withoutDivisor(u, (divisor) => view.same(divisor, s), view) ?? ofPicked(u, s, view);
  const [a, b] = [at(sum, 0), at(sum, 1)];
  const [first, second] = [undivided(a, s, view, reach - 1), undivided(b, s, view, reach - 1)];
  return first === undefined && second === undefined ? undefined : add(first ?? mul(a, s), second ?? mul(b, s));
}

/** The gradient of an element that was picked from the rows of s, spread over its row, times s. */
function ofPicked(u: Variable, s: Variable, view: View): Variable | undefined {
  const [hot, column] = view.operandsOf('mul', u) ?? [];
  if (hot === undefined || column === undefined) return undefined;
  const uncast = view.operandsOf('cast', hot);
  const labels = view.operandsOf('oneHot', uncast === undefined ? hot : at(uncast, 0))?.[0];
  const picked = view.operandsOf('dimshuffle', column)?.[0];
  if (labels === undefined || picked === undefined) return undefined;
  const isPicked = (divisor: Variable): boolean => {
    const [from, by] = view.operandsOf('pick', divisor) ?? [];
    return from !== undefined && by !== undefined && view.same(from, s) && view.same(by, labels);
  };
  const rest = withoutDivisor(picked, isPicked, view);
  if (rest === undefined || !hasShape(rest, picked.shape)) return undefined;
  return mul(hot, dimshuffle(rest, [...rest.shape.map((_, axis) => axis), 'x']));
}

/** A product without one division by what is a divisor; undefined where it has none. */
function withoutDivisor(
  product: Variable,
  isDivisor: (variable: Variable) => boolean,
  view: View,
  reach = REACH,
): Variable | undefined {
  if (reach === 0) return undefined;
  const without = (part: Variable): Variable | undefined => withoutDivisor(part, isDivisor, view, reach - 1);
  const quotient = view.operandsOf('div', product);
  if (quotient !== undefined) {
    const [a, b] = [at(quotient, 0), at(quotient, 1)];
    if (isDivisor(b)) return a;
    const rest = without(a);
    return rest === undefined ? undefined : div(rest, b);
  }
  const opposite = view.operandsOf('neg', product);
  if (opposite !== undefined) {
    const rest = without(at(opposite, 0));
    return rest === undefined ? undefined : neg(rest);
  }
  const factors = view.operandsOf('mul', product);
  if (factors === undefined) return undefined;
  const [a, b] = [at(factors, 0), at(factors, 1)];
  const first = without(a);
  if (first !== undefined) return mul(first, b);
  const second = without(b);
  return second === undefined ? undefined : mul(a, second);
}

/** Equal sizes, where one that is not known is equal to another: neither is a 1 that would be broadcast. */
function hasShape(variable: Variable, shape: Variable['shape']): boolean {
  return (
    variable.ndim === shape.length &&
    variable.shape.every((dim, axis) => (isKnown(dim) ? dim === shape[axis] : !isKnown(shape[axis])))
  );
}
