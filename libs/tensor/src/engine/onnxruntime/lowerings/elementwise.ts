import type { DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import type { NoParameters } from '../../../graph/op.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import type { OnnxLowering, OnnxLowerings } from './lowering.js';

/** An ONNX op type, or several nodes; the operands have the dtype given, one that ONNX Runtime computes in. */
type Nodes = string | ((graph: OnnxGraph, operands: readonly string[], dtype: DType) => string);

export const elementwise = {
  abs: number('Abs'),
  add: number('Add'),
  and: logic('And'),
  div: number('Div'),
  eq: comparison('Equal'),
  exp: number('Exp'),
  ge: comparison('GreaterOrEqual'),
  gt: comparison('Greater'),
  // Of any dtype as it is, without the casts that computing needs.
  identity: (graph, inputs) => [graph.add('Identity', inputs)],
  isinf: comparison('IsInf'),
  isnan: comparison('IsNaN'),
  le: comparison('LessOrEqual'),
  log: number('Log'),
  // Not Sigmoid, which is exactly 0 from -18 down and wrong in the fifth digit at -5.
  logistic: number((graph, operands, dtype) => {
    const [one, power] = [graph.scalar(1, dtype), expOfMinusAbs(graph, operands)];
    const negative = graph.add('Less', [...operands, graph.scalar(0, dtype)]);
    return graph.add('Div', [graph.add('Where', [negative, power, one]), graph.add('Add', [power, one])]);
  }),
  lt: comparison('Less'),
  maximum: number('Max'),
  minimum: number('Min'),
  mul: number('Mul'),
  neg: number('Neg'),
  neq: comparison((graph, operands) => graph.add('Not', [graph.add('Equal', operands)])),
  not: logic('Not'),
  or: logic('Or'),
  pow: number('Pow'),
  rectifier: number((graph, operands, dtype) =>
    // ONNX Runtime has no Relu of int64.
    dtype === 'int64' ? graph.add('Max', [...operands, graph.scalar(0, dtype)]) : graph.add('Relu', operands),
  ),
  sign: number('Sign'),
  softplus: number((graph, operands, dtype) => {
    if (dtype === 'float32') return graph.add('Softplus', operands);
    // ONNX Runtime has no Softplus of float64.
    const logarithm = log1p(graph, expOfMinusAbs(graph, operands), dtype);
    return graph.add('Add', [graph.add('Max', [...operands, graph.scalar(0, dtype)]), logarithm]);
  }),
  sqrt: number('Sqrt'),
  square: number((graph, operands) => graph.add('Mul', [...operands, ...operands])),
  sub: number('Sub'),
  tanh: number('Tanh'),
  where: number((graph, operands) => graph.add('Where', operands), { conditions: 1 }),
} satisfies Partial<OnnxLowerings>;

function expOfMinusAbs(graph: OnnxGraph, operands: readonly string[]): string {
  return graph.add('Exp', [graph.add('Neg', [graph.add('Abs', operands)])]);
}

/** `log(1 + x)` for x of 0 or more, where ONNX has only the logarithm: what `1 + x` rounds away is put back by a factor. */
function log1p(graph: OnnxGraph, x: string, dtype: DType): string {
  const one = graph.scalar(1, dtype);
  const sum = graph.add('Add', [x, one]);
  const factor = graph.add('Div', [x, graph.add('Sub', [sum, one])]);
  const product = graph.add('Mul', [graph.add('Log', [sum]), factor]);
  return graph.add('Where', [graph.add('Equal', [sum, one]), x, product]);
}

/** Computes in a dtype that ONNX Runtime has kernels for, and casts the result back; the first `conditions` operands are bools. */
function number(nodes: Nodes, options: { readonly conditions?: number } = {}): OnnxLowering<NoParameters> {
  return (graph, inputs, { node }) => {
    const { dtype } = node.output;
    const computed = computeDtype(dtype);
    const result = add(graph, nodes, castFrom(graph, inputs, dtype, options.conditions), computed);
    return [computed === dtype ? result : graph.cast(result, dtype)];
  };
}

/** As {@link number}, but the result is a bool. */
function comparison(nodes: Nodes): OnnxLowering<NoParameters> {
  return (graph, inputs, { node }) => {
    const { dtype } = at(node.inputs, -1);
    return [add(graph, nodes, castFrom(graph, inputs, dtype), computeDtype(dtype))];
  };
}

/** Of bools, which need no casts. */
function logic(opType: string): OnnxLowering<NoParameters> {
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
function computeDtype(dtype: DType): DType {
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
