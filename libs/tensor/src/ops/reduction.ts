import type { DType } from '@longrun/serialization';

import { applyOp, type Apply } from '../graph/apply.js';
import { inputAt, onlyGradient, type Op } from '../graph/op.js';
import type { Dim } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { dense, offsets, stridesOf, wrapInteger } from '../engine/reference/dense-array.js';
import type { OnnxGraph } from '../onnx/onnx-graph.js';
import { normalizeAxes } from './axis.js';
import { dimshuffle } from './dimshuffle.js';

/** Options of the reductions. */
export interface ReductionOptions {
  /** Axis or axes to reduce; negative ones count from the end. Default: all of them. */
  readonly axis?: number | readonly number[];
  /** Keep reduced axes with size 1. Default false. */
  readonly keepdims?: boolean;
}

/** What a reduction has of its own. */
export interface ReductionDefinition {
  readonly name: string;
  /** ONNX op type, which takes the axes as its second input, or several nodes. There is at least one axis. */
  readonly onnx:
    | string
    | ((graph: OnnxGraph, x: string, axes: readonly number[], keepdims: boolean, node: Apply) => string);
  /** Reduces the elements of one group, in order. */
  compute(elements: Float64Array): number;
  /** The gradient, given the output and its gradient with the reduced axes kept, so that both broadcast against x. */
  gradient(gradient: Variable, x: Variable, output: Variable, axes: readonly number[]): Variable;
}

/** The op of a reduction over `axes`. */
export function reduction(definition: ReductionDefinition, axes: readonly number[], keepdims: boolean): Op {
  return {
    name: definition.name,
    parameters: { axis: axes, keepdims },
    inferTypes(inputs) {
      const { dtype, shape } = inputAt(inputs, 0);
      return [{ dtype, shape: reducedShape(shape, axes, keepdims) }];
    },
    grad(node, outputGradients) {
      const x = inputAt(node.inputs, 0);
      const kept = (variable: Variable): Variable => (keepdims ? variable : restoreAxes(variable, x.ndim, axes));
      return [definition.gradient(kept(onlyGradient(node, outputGradients)), x, kept(node.output), axes)];
    },
    onnx(graph, inputs, node) {
      const x = inputAt(inputs, 0);
      // Without axes ONNX would reduce all of them.
      if (axes.length === 0) return [graph.add('Identity', [x])];
      const { onnx } = definition;
      return [
        typeof onnx === 'string' ? reduceNode(graph, onnx, x, axes, keepdims) : onnx(graph, x, axes, keepdims, node),
      ];
    },
    run(inputs, node) {
      const x = inputAt(inputs, 0);
      const { groups, elements } = groupsOf(x.shape, axes);
      const data = Float64Array.from(groups, (start) =>
        definition.compute(Float64Array.from(elements, (offset) => x.data[start + offset] ?? Number.NaN)),
      );
      const { dtype } = node.output;
      return [dense(dtype, reducedShape(x.shape, axes, keepdims), wrapInteger(dtype, data))];
    },
  };
}

/** Adds one ONNX reduction. */
export function reduceNode(
  graph: OnnxGraph,
  opType: string,
  x: string,
  axes: readonly number[],
  keepdims: boolean,
): string {
  return graph.add(opType, [x, graph.int64Vector(axes)], { keepdims: { int: keepdims ? 1 : 0 } });
}

/** Applies a reduction with its options. */
export function reduce(definition: ReductionDefinition, x: Variable, options: ReductionOptions): Variable {
  const axes = normalizeAxes(definition.name, x, options.axis);
  return applyOp(reduction(definition, axes, options.keepdims ?? false), [x]);
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
      chosen.map((axis) => shape[axis] ?? 0),
      chosen.map((axis) => strides[axis] ?? 0),
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
