import { assertNever } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { gather, stridesOf } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { oneOf } from '../graph/one-of.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import { isAllKnown, TensorTypeError } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { dimension, elementCount } from './dimension.js';
import { mod } from './division.js';
import { zerosLike } from './fill.js';
import { integerIndices, pointedAt } from './indices.js';
import { maximum } from './maximum.js';
import { minimum } from './minimum.js';
import { flatten, reshape } from './reshape.js';
import { scatterAdd } from './scatter-add.js';
import { sub } from './sub.js';

const TAKE_MODES = ['raise', 'clip', 'wrap'] as const;

/** What {@link take} makes of an index out of range. */
export type TakeMode = (typeof TAKE_MODES)[number];

/** Options of {@link take}. */
export interface TakeOptions {
  /** The axis that the indices are of. Default: x is flattened first, as NumPy does. */
  readonly axis?: number;
  /**
   * What becomes of an index out of range. 'raise', the default: an error when the graph runs, negative ones counting from the
   * end. 'clip': the first or the last there is, the first for all negative ones. 'wrap': what
   * it points at when the axis goes round and round.
   */
  readonly mode?: TakeMode;
}

/**
 * NumPy's `take`: what stands at integer indices of one axis, whose place the axes of the indices take. Of a matrix and axis 0 it is
 * the rows: the lookup of an embedding.
 */
export function take(x: Variable, indices: Variable, options: TakeOptions = {}): Variable {
  checkArguments('take', ['x', x, 'variable'], ['indices', indices, 'variable'], ['options', options, 'options']);
  if (options.axis === undefined) return take(flatten(x), indices, { ...options, axis: 0 });
  const axis = normalizeAxis('take', x, options.axis);
  const where = integerIndices('take', x, indices);
  const mode = oneOf('take', 'mode', options.mode ?? 'raise', TAKE_MODES);
  return applyOp(takeOp({ axis }), [x, brought(where, dimension(x, axis), mode)]);
}

/** Indices brought into the range of an axis of `size`. */
function brought(indices: Variable, size: Variable, mode: TakeMode): Variable {
  switch (mode) {
    case 'raise':
      return indices;
    case 'clip':
      return maximum(minimum(indices, sub(size, 1)), 0);
    case 'wrap':
      return mod(indices, maximum(size, 1));
    default:
      return assertNever(mode, 'mode of take');
  }
}

/** The op of {@link take}. */
export const takeOp = defineOp({
  name: 'take',
  inferTypes(inputs, { axis }: { readonly axis: number }) {
    const [x, indices] = [at(inputs, 0), at(inputs, 1)];
    const nothing = indices.shape.includes(0);
    if (at(x.shape, axis) === 0 && !nothing && isAllKnown(indices.shape)) {
      throw new TensorTypeError(
        `take: axis ${axis} of ${describe(x)} is empty; there is nothing at ${describe(indices)}`,
      );
    }
    return [{ dtype: x.dtype, shape: x.shape.toSpliced(axis, 1, ...indices.shape) }];
  },
  grad(node, outputGradients, { axis }) {
    const [x, indices] = [at(node.inputs, 0), at(node.inputs, 1)];
    const gradient = onlyGradient(node, outputGradients);
    const count = elementCount(
      indices,
      indices.shape.map((_, own) => own),
    );
    const sizes = x.shape.map((_, own) => (own === axis ? count : dimension(x, own)));
    const [rows, where] =
      indices.ndim === 1 ? [gradient, indices] : [reshape(gradient, sizes), reshape(indices, [count])];
    return [scatterAdd(zerosLike(x), where, rows, { axis }), DISCONNECTED];
  },
  run(inputs, node, { axis }) {
    const [x, indices] = [at(inputs, 0), at(inputs, 1)];
    const shape = x.shape.toSpliced(axis, 1, ...indices.shape);
    const [size, stride] = [at(x.shape, axis), at(stridesOf(x.shape), axis)];
    const rows = pointedAt(node, indices.data, size);
    const reads = new Int32Array(x.data.length === 0 ? 0 : (x.data.length / size) * rows.length);
    for (let position = 0; position < reads.length; position += 1) {
      const [before, rest] = [Math.floor(position / (rows.length * stride)), position % (rows.length * stride)];
      reads[position] = (before * size + at(rows, Math.floor(rest / stride))) * stride + (rest % stride);
    }
    return [gather(x, shape, reads)];
  },
});
