import { at } from '../arrays/at.js';
import { checkArguments } from '../graph/arguments.js';
import { TensorTypeError, commonSize } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { dimension, elementCount } from './dimension.js';
import { dimshuffle } from './dimshuffle.js';
import { dot } from './dot.js';
import { reshape } from './reshape.js';

/**
 * NumPy's `tensordot`: the sum over pairs of axes of the products of a and b, the other axes of a and then those of b remaining.
 * `axes` is how many, the last of a with the first of b, 2 by default, or the axes of a and, in the same order, those of b. Floats only.
 */
export function tensordot(
  a: Variable,
  b: Variable,
  axes: number | readonly [readonly number[], readonly number[]] = 2,
): Variable {
  checkArguments('tensordot', ['a', a, 'variable'], ['b', b, 'variable'], ['axes', axes, 'pairing']);
  const [ofA, ofB] = pairs(a, b, axes);
  const [freeA, freeB] = [others(a, ofA), others(b, ofB)];
  const left = reshape(dimshuffle(a, [...freeA, ...ofA]), [elementCount(a, freeA), elementCount(a, ofA)]);
  const right = reshape(dimshuffle(b, [...ofB, ...freeB]), [elementCount(b, ofB), elementCount(b, freeB)]);
  return reshape(dot(left, right), [
    ...freeA.map((axis) => dimension(a, axis)),
    ...freeB.map((axis) => dimension(b, axis)),
  ]);
}

function pairs(
  a: Variable,
  b: Variable,
  axes: number | readonly [readonly number[], readonly number[]],
): [number[], number[]] {
  if (typeof axes === 'number' && !(Number.isInteger(axes) && axes >= 0 && axes <= Math.min(a.ndim, b.ndim))) {
    throw new TensorTypeError(
      `tensordot: ${describe(a)} and ${describe(b)} have no ${axes} axes in common; give 0 to ${Math.min(a.ndim, b.ndim)}`,
    );
  }
  const range = typeof axes === 'number' ? Array.from({ length: axes }, (_, position) => position) : [];
  const given = typeof axes === 'number' ? [range.map((axis) => axis + a.ndim - axes), range] : axes;
  const [ofA, ofB] = [
    at(given, 0).map((axis) => normalizeAxis('tensordot', a, axis)),
    at(given, 1).map((axis) => normalizeAxis('tensordot', b, axis)),
  ];
  const twice = new Set(ofA).size < ofA.length || new Set(ofB).size < ofB.length;
  const paired =
    ofA.length === ofB.length &&
    ofA.every((axis, position) => {
      return commonSize(at(a.shape, axis), at(b.shape, at(ofB, position))) !== undefined;
    });
  if (!paired || twice) {
    throw new TensorTypeError(
      `tensordot: axes [${ofA.join(', ')}] of ${describe(a)} and [${ofB.join(', ')}] of ${describe(b)} do not pair; give as many of each, each once, with equal sizes`,
    );
  }
  return [ofA, ofB];
}

function others(x: Variable, axes: readonly number[]): number[] {
  return x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
}
