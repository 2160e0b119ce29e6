import type { DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import type { NoParameters } from '../../../graph/op.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { OnnxLowering } from './lowering.js';

/** An ONNX op type, or several nodes; the operands have the dtype given, one that ONNX Runtime computes in. */
export type Nodes = string | ((graph: OnnxGraph, operands: readonly string[], dtype: DType) => string);

/** Computes in a dtype that ONNX Runtime has kernels for, and casts the result back; the first `conditions` operands are bools. */
export function number(nodes: Nodes, options: { readonly conditions?: number } = {}): OnnxLowering<NoParameters> {
  return (graph, inputs, { node }) => {
    const { dtype } = node.output;
    const computed = computeDtype(dtype);
    const result = add(graph, nodes, castFrom(graph, inputs, dtype, options.conditions), computed);
    return [computed === dtype ? result : graph.cast(result, dtype)];
  };
}

/** As {@link number}, but the result is a bool. */
export function comparison(nodes: Nodes): OnnxLowering<NoParameters> {
  return (graph, inputs, { node }) => {
    const { dtype } = at(node.inputs, -1);
    return [add(graph, nodes, castFrom(graph, inputs, dtype), computeDtype(dtype))];
  };
}

/** Of bools, which need no casts. */
export function logic(opType: string): OnnxLowering<NoParameters> {
  return (graph, inputs) => [graph.add(opType, inputs)];
}

function add(graph: OnnxGraph, nodes: Nodes, operands: readonly string[], dtype: DType): string {
  return typeof nodes === 'string' ? graph.add(nodes, operands) : nodes(graph, operands, dtype);
}

function castFrom(graph: OnnxGraph, inputs: readonly string[], dtype: DType, conditions = 0): string[] {
  const computed = computeDtype(dtype);
  return inputs.map((input, position) =>
    position < conditions || computed === dtype ? input : graph.cast(input, computed),
  );
}

/** ONNX Runtime has kernels for few integer types: the narrow ones are computed in a wider one and cast back, which wraps. */
export function computeDtype(dtype: DType): DType {
  switch (dtype) {
    case 'int8':
    case 'int16':
    case 'uint8':
    case 'uint16':
    case 'bool':
      return 'int32';
    case 'uint32':
      return 'int64';
    default:
      return dtype;
  }
}
