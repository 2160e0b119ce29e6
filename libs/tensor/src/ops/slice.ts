import { applyOp } from '../graph/apply.js';
import { Constant, constant } from '../graph/constant.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import { TensorTypeError, type Dim } from '../graph/tensor-type.js';
import { describe, type Variable } from '../graph/variable.js';
import { dense, offsets, stridesOf } from '../engine/reference/dense-array.js';
import { normalizeAxis } from './axis.js';
import { cast } from './cast.js';
import { unslice } from './unslice.js';

/** Options of {@link slice}. */
export interface SliceOptions {
  /** The axis to cut. Default 0. */
  readonly axis?: number;
}

/**
 * The part `[start, stop)` of one axis. Bounds are numbers or int64 scalars, 0 or more; what lies beyond the end is left out.
 */
export function slice(
  x: Variable,
  start: number | Variable,
  stop: number | Variable,
  options: SliceOptions = {},
): Variable {
  const axis = normalizeAxis('slice', x, options.axis ?? 0);
  return applyOp(sliceOp(axis), [x, bound(x, start), bound(x, stop)]);
}

/** The op of {@link slice}. */
export function sliceOp(axis: number): Op {
  return {
    name: 'slice',
    parameters: { axis },
    inferTypes(inputs) {
      const x = inputAt(inputs, 0);
      const dim = slicedDim(x.shape[axis] ?? null, inputAt(inputs, 1), inputAt(inputs, 2));
      return [{ dtype: x.dtype, shape: x.shape.with(axis, dim) }];
    },
    grad(node, outputGradients) {
      const [x, start] = [inputAt(node.inputs, 0), inputAt(node.inputs, 1)];
      return [unslice(onlyGradient(node, outputGradients), x, start, axis), null, null];
    },
    onnx(graph, inputs) {
      const zero = graph.int64Vector([0]);
      const bounds = inputs.slice(1).map((input) => graph.add('Unsqueeze', [input, zero]));
      return [graph.add('Slice', [inputAt(inputs, 0), ...bounds, graph.int64Vector([axis])])];
    },
    run(inputs) {
      const x = inputAt(inputs, 0);
      const size = x.shape[axis] ?? 0;
      const start = Math.min(inputAt(inputs, 1).data[0] ?? 0, size);
      const stop = Math.min(inputAt(inputs, 2).data[0] ?? 0, size);
      const strides = stridesOf(x.shape);
      const shape = x.shape.with(axis, Math.max(0, stop - start));
      const reads = offsets(shape, strides, start * (strides[axis] ?? 0));
      return [
        dense(
          x.dtype,
          shape,
          Float64Array.from(reads, (offset) => x.data[offset] ?? Number.NaN),
        ),
      ];
    },
  };
}

function bound(x: Variable, value: number | Variable): Variable {
  if (typeof value !== 'number') return cast(value, 'int64');
  if (Number.isInteger(value) && value >= 0) return constant(value, 'int64');
  throw new TensorTypeError(`slice: ${describe(x)} cannot be cut at ${value}; give an integer of 0 or more`);
}

function slicedDim(dim: Dim, start: Variable, stop: Variable): Dim {
  if (dim === null || !(start instanceof Constant) || !(stop instanceof Constant)) return null;
  const [first, last] = [start, stop].map((one) => Math.min(Number(one.value.data[0]), dim));
  return Math.max(0, (last ?? 0) - (first ?? 0));
}
