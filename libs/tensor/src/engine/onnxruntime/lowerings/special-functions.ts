import { ndarray, type DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import { typedArray } from '../../../arrays/typed-array.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import { ERF_IS_ONE, ERF_SERIES, ERFC_TRAPEZOIDS } from '../../../ops/erf.js';
import { number } from './kernels.js';
import type { OnnxLowerings } from './lowering.js';

export const specialFunctions = {
  cos: number('Cos'),
  // ONNX Runtime has no Erf of float64.
  erf: number((graph, operands, dtype) =>
    dtype === 'float32' ? graph.add('Erf', operands) : erf(graph, at(operands, 0), dtype),
  ),
  expm1: number((graph, operands, dtype) => expm1(graph, at(operands, 0), dtype)),
  log1p: number((graph, operands, dtype) => log1p(graph, at(operands, 0), dtype)),
  sin: number('Sin'),
  softsign: number((graph, operands, dtype) => {
    const size = graph.add('Add', [graph.add('Abs', operands), graph.scalar(1, dtype)]);
    return graph.add('Div', [...operands, size]);
  }),
} satisfies Partial<OnnxLowerings>;

/** `log(1 + x)`, where ONNX has only the logarithm: what `1 + x` rounds away is put back by a factor. */
export function log1p(graph: OnnxGraph, x: string, dtype: DType): string {
  const one = graph.scalar(1, dtype);
  const sum = graph.add('Add', [x, one]);
  const rounded = graph.add('Sub', [sum, one]);
  const logarithm = graph.add('Log', [sum]);
  const product = graph.add('Mul', [logarithm, graph.add('Div', [x, rounded])]);
  // Where nothing was rounded away no factor is needed, which would be NaN of infinities.
  const result = graph.add('Where', [graph.add('Equal', [rounded, x]), logarithm, product]);
  return graph.add('Where', [graph.add('Equal', [sum, one]), x, result]);
}

/** `e^x - 1`: near 0, what `e^x` rounds away is put back by a factor, for its logarithm should be x. */
function expm1(graph: OnnxGraph, x: string, dtype: DType): string {
  const one = graph.scalar(1, dtype);
  const power = graph.add('Exp', [x]);
  const difference = graph.add('Sub', [power, one]);
  const factor = graph.add('Div', [x, graph.add('Log', [power])]);
  const near = graph.add('Where', [graph.add('Equal', [power, one]), x, graph.add('Mul', [difference, factor])]);
  return graph.add('Where', [graph.add('Greater', [graph.add('Abs', [x]), one]), difference, near]);
}

/** By the op's own sums, whose terms lie along an axis of their own. */
function erf(graph: OnnxGraph, x: string, dtype: DType): string {
  const last = graph.int64Vector([-1]);
  const vector = (values: readonly number[], shape = [values.length]): string =>
    graph.initializer(ndarray(dtype, shape, typedArray(dtype, values)));
  // Not by ReduceSum, which makes a wrong shape of an empty array and a negative axis.
  const total = (terms: string, weights: readonly number[]): string =>
    graph.add('Squeeze', [graph.add('MatMul', [terms, vector(weights, [weights.length, 1])]), last]);

  const one = graph.scalar(1, dtype);
  // No further than this, where infinities would make NaN.
  const size = graph.add('Min', [graph.add('Abs', [x]), graph.scalar(ERF_IS_ONE, dtype)]);
  const square = graph.add('Mul', [size, size]);
  const column = graph.add('Unsqueeze', [square, last]);
  const powers = graph.add('Pow', [column, vector(ERF_SERIES.map((_, k) => k))]);
  const nearZero = graph.add('Mul', [x, total(powers, ERF_SERIES)]);

  const { squares, weights, rate } = ERFC_TRAPEZOIDS;
  const fractions = graph.add('Div', [one, graph.add('Add', [column, vector(squares)])]);
  const bell = graph.add('Exp', [graph.add('Neg', [square])]);
  const growth = graph.add('Exp', [graph.add('Mul', [size, graph.scalar(rate, dtype)])]);
  const pole = graph.add('Div', [graph.scalar(2, dtype), graph.add('Sub', [growth, one])]);
  const product = graph.add('Mul', [size, graph.add('Mul', [bell, total(fractions, weights)])]);
  const far = graph.add('Mul', [graph.add('Sign', [x]), graph.add('Sub', [one, graph.add('Sub', [product, pole])])]);
  return graph.add('Where', [graph.add('Less', [size, graph.scalar(0.5, dtype)]), nearZero, far]);
}
