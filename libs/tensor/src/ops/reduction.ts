import type { DType } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { dense, offsets, stridesOf, wrapInteger } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import type { InputGradient } from '../graph/gradient-flow.js';
import { defineOp, onlyGradient, type OpConstructor } from '../graph/op.js';
import type { Dim } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxes } from './axis.js';
import { dimshuffle } from './dimshuffle.js';

/** Options of the reductions. */
export interface ReductionOptions {
  /** Axis or axes to reduce; negative ones count from the end. Default: all of them. */
  readonly axis?: number | readonly number[];
  /** Keep reduced axes with size 1. Default false. */
  readonly keepdims?: boolean;
}

/** The parameters of every reduction: its axes counted from 0 and sorted. */
export type ReductionParameters = { readonly axis: readonly number[]; readonly keepdims: boolean };

/** What a reduction has of its own. */
export interface ReductionDefinition {
  /** Reduces the elements of one group, in order. */
  compute(elements: Float64Array): number;
  /** The gradient, given the output and its gradient with the reduced axes kept, so that both broadcast against x. */
  gradient(gradient: Variable, x: Variable, output: Variable, axes: readonly number[]): InputGradient;
}

/** Defines the op of a reduction. */
export function reduction<const N extends string>(
  name: N,
  definition: ReductionDefinition,
): OpConstructor<N, ReductionParameters> {
  return defineOp({
    name,
    inferTypes(inputs, { axis, keepdims }: ReductionParameters) {
      const { dtype, shape } = at(inputs, 0);
      return [{ dtype, shape: reducedShape(shape, axis, keepdims) }];
    },
    grad(node, outputGradients, { axis, keepdims }) {
      const x = at(node.inputs, 0);
      const kept = (variable: Variable): Variable => (keepdims ? variable : restoreAxes(variable, x.ndim, axis));
      return [definition.gradient(kept(onlyGradient(node, outputGradients)), x, kept(node.output), axis)];
    },
    run(inputs, node, { axis, keepdims }) {
      const x = at(inputs, 0);
      const { groups, elements } = groupsOf(x.shape, axis);
      const data = Float64Array.from(groups, (start) =>
        definition.compute(Float64Array.from(elements, (offset) => at(x.data, start + offset))),
      );
      const { dtype } = node.output;
      return [dense(dtype, reducedShape(x.shape, axis, keepdims), wrapInteger(dtype, data))];
    },
  });
}

/** Applies a reduction with its options. */
export function reduce<N extends string>(
  op: OpConstructor<N, ReductionParameters>,
  x: Variable,
  options: ReductionOptions,
): Variable {
  const axis = normalizeAxes(op.opName, x, options.axis);
  return applyOp(op({ axis, keepdims: options.keepdims ?? false }), [x]);
}

/** `variable` with axes of size 1 put back where `axes` of an array of `rank` axes were reduced. */
export function restoreAxes(variable: Variable, rank: number, axes: readonly number[]): Variable {
  let next = 0;
  const order = Array.from({ length: rank }, (_, axis): number | 'x' => {
    if (axes.includes(axis)) return 'x';
    next += 1;
    return next - 1;
  });
  return dimshuffle(variable, order);
}

/** For an array of `shape`: where each group of elements that are reduced together starts, and its elements' offsets. */
export function groupsOf(
  shape: readonly number[],
  axes: readonly number[],
): { groups: Int32Array; elements: Int32Array } {
  const strides = stridesOf(shape);
  const pick = (reduced: boolean): Int32Array => {
    const chosen = shape.flatMap((_, axis) => (axes.includes(axis) === reduced ? [axis] : []));
    return offsets(
      chosen.map((axis) => at(shape, axis)),
      chosen.map((axis) => at(strides, axis)),
    );
  };
  return { groups: pick(false), elements: pick(true) };
}

/** The shape with `axes` reduced. */
export function reducedShape<D extends Dim>(
  shape: readonly D[],
  axes: readonly number[],
  keepdims: boolean,
): (D | 1)[] {
  return shape.flatMap((dim, axis): (D | 1)[] => (axes.includes(axis) ? (keepdims ? [1] : []) : [dim]));
}

/** The dtype in which integers and bools are summed: int64, as NumPy. */
export function sumDtype(dtype: DType): DType {
  return dtype === 'float32' || dtype === 'float64' ? dtype : 'int64';
}
