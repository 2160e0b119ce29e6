import { sizeOf } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments, shown } from '../graph/arguments.js';
import { Constant } from '../graph/constant.js';
import { DISCONNECTED, type InputGradient } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { formatShape, isAllKnown, isKnown, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { dimension, dimensions, elementCount } from './dimension.js';
import { toldSizes } from './told-size.js';

/**
 * The elements of x, in row-major order, in another shape. Each entry is a size, an integer scalar variable, or, once at most
 * and not beside a size of 0, -1 for what is left.
 */
export function reshape(x: Variable, shape: readonly (number | Variable)[]): Variable {
  checkArguments('reshape', ['x', x, 'variable'], ['shape', shape, 'sizes']);
  const known = shape.map((entry) => (entry instanceof Constant ? entry.toNumber() : entry));
  const sizes = known.map((entry) => (entry instanceof Variable ? 'input' : entry));
  const inputs = known.filter((entry) => entry instanceof Variable).map((entry) => cast(entry, 'int64'));
  return applyOp(reshapeOp({ shape: sizes }), [x, ...inputs]);
}

/** x with its axes from `ndim - 1` on made into one; Theano's `flatten`. `ndim` is 1 by default: a vector, of a scalar too. */
export function flatten(x: Variable, ndim = 1): Variable {
  checkArguments('flatten', ['x', x, 'variable']);
  if (ndim === x.ndim) return x;
  const most = Math.max(1, x.ndim);
  if (!Number.isInteger(ndim) || ndim < 1 || ndim > most) {
    throw new TensorTypeError(`flatten: ${describe(x)} cannot be given ${shown(ndim)} axes; give 1 to ${most}`);
  }
  const axes = x.shape.map((_, axis) => axis);
  return reshape(x, [
    ...axes.slice(0, ndim - 1).map((axis) => dimension(x, axis)),
    elementCount(x, axes.slice(ndim - 1)),
  ]);
}

/** 'input' stands for a size that is an input. */
type Sizes = readonly (number | 'input')[];

/** The op of {@link reshape}. */
export const reshapeOp = defineOp({
  name: 'reshape',
  inferTypes(inputs, { shape: sizes }: { readonly shape: Sizes }) {
    const x = at(inputs, 0);
    const numbers = sizes.filter((size) => size !== 'input');
    if (numbers.some((size) => size < -1 || !Number.isInteger(size))) throw mismatch(x, sizes);
    if (numbers.filter((size) => size === -1).length > 1) throw mismatch(x, sizes);
    const told = toldSizes(inputs, sizes);
    if (isAllKnown(told) && isAllKnown(x.shape)) {
      return [{ dtype: x.dtype, shape: resolve(x, sizes, x.shape, told) }];
    }
    return [{ dtype: x.dtype, shape: told.map((size) => (size === -1 ? sizeLeft(x.shape, told) : size)) }];
  },
  grad(node, outputGradients) {
    const x = at(node.inputs, 0);
    const back = dimensions(x);
    return [
      reshape(onlyGradient(node, outputGradients), back),
      ...node.inputs.slice(1).map((): InputGradient => DISCONNECTED),
    ];
  },
  run(inputs, node, { shape: sizes }) {
    const x = at(inputs, 0);
    let next = 0;
    const shape = sizes.map((size) => {
      if (size !== 'input') return size;
      next += 1;
      return at(at(inputs, next).data, 0);
    });
    return [dense(x.dtype, resolve(at(node.inputs, 0), sizes, x.shape, shape), x.data)];
  },
});

/** What is known of the size for which -1 stands in `to`: where all others are known or named alike in `from`, what these leave of it. */
function sizeLeft(from: readonly Dim[], to: readonly Dim[]): Dim {
  const left = from.filter((dim) => !isKnown(dim));
  for (const dim of to) {
    if (isKnown(dim)) continue;
    const named = dim === null ? -1 : left.indexOf(dim);
    if (named < 0) return null;
    left.splice(named, 1);
  }
  const count = sizeOf(from.filter(isKnown)) / sizeOf(to.filter(isKnown).filter((size) => size !== -1));
  const [dim, ...more] = left;
  if (dim === undefined) return Number.isInteger(count) && count > 0 ? count : null;
  return count === 1 && more.length === 0 ? dim : null;
}

/** The sizes `to` with -1 replaced; beside a 0 that would be 0/0, and is refused. */
function resolve(x: Variable, sizes: Sizes, from: readonly number[], to: readonly number[]): number[] {
  const rest = sizeOf(to.filter((size) => size !== -1));
  const total = sizeOf(from);
  const filled = to.map((size) => (size === -1 ? total / rest : size));
  if (filled.some((size) => !Number.isInteger(size) || size < 0) || sizeOf(filled) !== total) {
    throw mismatch(x, sizes, from);
  }
  return filled;
}

function mismatch(x: Variable, sizes: Sizes, from?: readonly number[]): TensorTypeError {
  const size = from === undefined ? '' : ` of size ${formatShape(from)}`;
  return new TensorTypeError(
    `reshape: ${describe(x)}${size} cannot take the shape (${sizes.join(', ')}); the number of elements must stay the same, with -1 once at most`,
  );
}
