import type { OnnxGraph } from '../onnx/onnx-graph.js';
import type { DenseArray } from '../engine/reference/dense-array.js';
import type { Apply } from './apply.js';
import type { OpInner } from './inner.js';
import type { TensorType } from './tensor-type.js';
import type { Variable } from './variable.js';

/** What an op's parameters are made of: they print, and two ops with equal names and parameters are the same op. */
export type OpParameter = string | number | boolean | null | readonly OpParameter[];

/**
 * One operation on tensors: everything that is known about it, in one object. Nothing else in this room tells ops apart.
 */
export interface Op {
  readonly name: string;
  /** What distinguishes this op from others of the same name: axes, dtype. Empty for most. */
  readonly parameters: Readonly<Record<string, OpParameter>>;
  /** The graph that the op applies, where it has one of its own: `scan`, `ifElse`. */
  readonly inner?: OpInner;
  /** The output types; throws TensorTypeError naming the op and the inputs that do not fit. */
  inferTypes(inputs: readonly Variable[]): readonly TensorType[];
  /**
   * The gradient of the cost with respect to each input, given that with respect to each output (null where the cost
   * does not depend on it). Null for an input through which no gradient flows.
   */
  grad(node: Apply, outputGradients: readonly (Variable | null)[]): readonly (Variable | null)[];
  /** Adds ONNX nodes for this application to `graph` and returns the names of its outputs. */
  onnx(graph: OnnxGraph, inputs: readonly string[], node: Apply): readonly string[];
  /** Computes the outputs, in float64. */
  run(inputs: readonly DenseArray[], node: Apply): readonly DenseArray[];
}

/** `sum{axis=[0], keepdims=false}`: how an op prints. */
export function formatOp(op: Op): string {
  const entries = Object.entries(op.parameters);
  if (entries.length === 0) return op.name;
  return `${op.name}{${entries.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(', ')}}`;
}

/** The one output gradient of a single-output op; ops are only asked for gradients when there is one. */
export function onlyGradient(node: Apply, outputGradients: readonly (Variable | null)[]): Variable {
  const [gradient] = outputGradients;
  if (gradient === undefined || gradient === null) {
    throw new Error(`${node.op.name}: asked for its gradient without the gradient of its output`);
  }
  return gradient;
}

/** The input at `position`; throws when the op was applied to fewer. */
export function inputAt<T>(inputs: readonly T[], position: number): T {
  const input = inputs[position];
  if (input === undefined) throw new Error(`An op was given ${inputs.length} inputs but needs input ${position}`);
  return input;
}
