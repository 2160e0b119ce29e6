import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import { comparison, logic, number } from './kernels.js';
import type { OnnxLowerings } from './lowering.js';
import { log1p } from './special-functions.js';

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
    const power = graph.add('Exp', [graph.add('Min', [...operands, graph.scalar(CERTAIN, dtype)])]);
    return graph.add('Div', [power, graph.add('Add', [power, graph.scalar(1, dtype)])]);
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
  stopGradient: (graph, inputs) => [graph.add('Identity', inputs)],
  square: number((graph, operands) => graph.add('Mul', [...operands, ...operands])),
  sub: number('Sub'),
  tanh: number('Tanh'),
  where: number((graph, operands) => graph.add('Where', operands), { conditions: 1 }),
  xor: logic('Xor'),
} satisfies Partial<OnnxLowerings>;

/** From here on the sigmoid is 1 in every dtype; of its power there is enough of both. */
const CERTAIN = 40;

function expOfMinusAbs(graph: OnnxGraph, operands: readonly string[]): string {
  return graph.add('Exp', [graph.add('Neg', [graph.add('Abs', operands)])]);
}
