import { DTYPES, type DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { broadcastTo as repeated } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { Constant, constant } from '../graph/constant.js';
import { floatX } from '../graph/float-x.js';
import { DISCONNECTED, type InputGradient } from '../graph/gradient-flow.js';
import { oneOf } from '../graph/one-of.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { broadcastDims, formatShape, shapeFits, TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, Variable } from '../graph/variable.js';
import { cast } from './cast.js';
import { toldSizes } from './told-size.js';
import { unbroadcast } from './unbroadcast.js';

/**
 * x repeated until it has the shape given, as NumPy's `broadcast_to` and Theano's `alloc`: axes are added in front, and those of
 * static size 1 stretched. Each entry is a size or an integer scalar.
 */
export function broadcastTo(x: Variable, shape: readonly (number | Variable)[]): Variable {
  checkArguments('broadcastTo', ['x', x, 'variable'], ['shape', shape, 'sizes']);
  const known = shape.map((entry) => (entry instanceof Constant ? entry.toNumber() : entry));
  if (known.length === x.ndim && known.every((size, axis) => size === x.shape[axis])) return x;
  const sizes = known.map((entry) => (entry instanceof Variable ? 'input' : entry));
  const inputs = known.filter((entry) => entry instanceof Variable).map((entry) => cast(entry, 'int64'));
  return applyOp(broadcastToOp({ shape: sizes }), [x, ...inputs]);
}

/** An array of zeros, {@link floatX} unless `dtype` is given. Each entry of `shape` is a size or an integer scalar. */
export function zeros(shape: readonly (number | Variable)[], dtype: DType = floatX()): Variable {
  checkArguments('zeros', ['shape', shape, 'sizes']);
  return broadcastTo(constant(0, oneOf('zeros', 'dtype', dtype, DTYPES)), shape);
}

/** An array of ones, {@link floatX} unless `dtype` is given. Each entry of `shape` is a size or an integer scalar. */
export function ones(shape: readonly (number | Variable)[], dtype: DType = floatX()): Variable {
  checkArguments('ones', ['shape', shape, 'sizes']);
  return broadcastTo(constant(1, oneOf('ones', 'dtype', dtype, DTYPES)), shape);
}

/** 'input' stands for a size that is an input. */
type Sizes = readonly (number | 'input')[];

/** The op of {@link broadcastTo}. */
export const broadcastToOp = defineOp({
  name: 'broadcastTo',
  inferTypes(inputs, { shape: sizes }: { readonly shape: Sizes }) {
    const x = at(inputs, 0);
    const target = toldSizes(inputs, sizes);
    const whole = sizes.every((size) => size === 'input' || (Number.isInteger(size) && size >= 0));
    const shape = whole ? broadcastDims([target, x.shape]) : undefined;
    if (shape === undefined || !shapeFits(shape, target)) throw mismatch(x, target);
    return [{ dtype: x.dtype, shape }];
  },
  grad: (node, outputGradients) => [
    unbroadcast(onlyGradient(node, outputGradients), at(node.inputs, 0)),
    ...node.inputs.slice(1).map((): InputGradient => DISCONNECTED),
  ],
  run(inputs, node, { shape: sizes }) {
    const x = at(inputs, 0);
    let next = 0;
    const shape = sizes.map((size) => {
      if (size !== 'input') return size;
      next += 1;
      return at(at(inputs, next).data, 0);
    });
    const type = at(node.inputs, 0);
    const fits = type.shape.every((dim, axis) => dim === 1 || x.shape[axis] === at(shape, axis - type.ndim));
    if (!fits) throw mismatch(type, shape, x.shape);
    return [repeated(x, shape)];
  },
});

function mismatch(x: Variable, target: readonly Dim[], from?: readonly number[]): TensorTypeError {
  const size = from === undefined ? '' : ` of size ${formatShape(from)}`;
  return new TensorTypeError(
    `broadcastTo: ${describe(x)}${size} does not broadcast to ${formatShape(target)}; sizes must be equal, or 1 where the graph says so, counted from the last axis`,
  );
}
