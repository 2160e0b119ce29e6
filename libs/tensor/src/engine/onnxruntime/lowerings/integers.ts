import type { DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import { isFloat } from '../../../graph/tensor-type.js';
import type { OnnxGraph } from '../../../onnx/onnx-graph.js';
import { number } from './kernels.js';
import type { OnnxLowerings } from './lowering.js';

/** Of integers, or towards integers. */
export const integers = {
  bitAnd: number('BitwiseAnd'),
  bitNot: number('BitwiseNot'),
  bitOr: number('BitwiseOr'),
  bitXor: number('BitwiseXor'),
  ceil: rounding('Ceil'),
  floor: rounding('Floor'),
  floorDiv: number((graph, operands, dtype) => {
    if (!isFloat(dtype)) return integerDivision(graph, operands, dtype).quotient;
    const [a, b] = [at(operands, 0), at(operands, 1)];
    const { remainder, isBelow } = floatRemainder(graph, a, b, dtype);
    const truncated = graph.add('Round', [graph.add('Div', [graph.add('Sub', [a, remainder]), b])]);
    const quotient = graph.add('Sub', [truncated, graph.cast(isBelow, dtype)]);
    const byZero = graph.add('Equal', [b, graph.scalar(0, dtype)]);
    return graph.add('Where', [byZero, graph.add('Div', [a, b]), quotient]);
  }),
  leftShift: number((graph, operands, dtype) => {
    const { bounded, isShift } = shiftCount(graph, at(operands, 1), dtype);
    const shifted = shift(graph, 'LEFT', at(operands, 0), bounded, dtype);
    return graph.add('Where', [isShift, shifted, graph.scalar(0, dtype)]);
  }),
  mod: number((graph, operands, dtype) => {
    if (!isFloat(dtype)) return integerDivision(graph, operands, dtype).remainder;
    const [a, b] = [at(operands, 0), at(operands, 1)];
    const { remainder, isBelow } = floatRemainder(graph, a, b, dtype);
    return graph.add('Where', [isBelow, graph.add('Add', [remainder, b]), remainder]);
  }),
  rightShift: number((graph, operands, dtype) => {
    const x = at(operands, 0);
    // The kernel knows no sign: what is negative is turned over before and after.
    const negative = graph.add('Less', [x, graph.scalar(0, dtype)]);
    const mask = graph.add('Neg', [graph.cast(negative, dtype)]);
    const positive = graph.add('BitwiseXor', [x, mask]);
    const shifted = shift(graph, 'RIGHT', positive, shiftCount(graph, at(operands, 1), dtype).bounded, dtype);
    return graph.add('BitwiseXor', [shifted, mask]);
  }),
  round: rounding('Round'),
} satisfies Partial<OnnxLowerings>;

/** Integers are rounded already, and have no kernels. */
function rounding(opType: string): ReturnType<typeof number> {
  return number((graph, operands, dtype) => graph.add(isFloat(dtype) ? opType : 'Identity', operands));
}

/** The remainder of the truncated quotient, and whether the quotient lies below it. */
function floatRemainder(
  graph: OnnxGraph,
  a: string,
  b: string,
  dtype: DType,
): { readonly remainder: string; readonly isBelow: string } {
  const remainder = graph.add('Mod', [a, b], { fmod: { int: 1 } });
  return { remainder, isBelow: haveDifferentSigns(graph, remainder, b, dtype) };
}

function haveDifferentSigns(graph: OnnxGraph, remainder: string, b: string, dtype: DType): string {
  const zero = graph.scalar(0, dtype);
  const differ = graph.add('Xor', [graph.add('Less', [remainder, zero]), graph.add('Less', [b, zero])]);
  return graph.add('And', [differ, graph.add('Not', [graph.add('Equal', [remainder, zero])])]);
}

/** Rounded down. Division by 0 is an error, and that of the least integer by -1 ends the process: both are divided by 1 instead, and multiplied. */
function integerDivision(
  graph: OnnxGraph,
  operands: readonly string[],
  dtype: DType,
): { readonly quotient: string; readonly remainder: string } {
  const [a, b, one] = [at(operands, 0), at(operands, 1), graph.scalar(1, dtype)];
  const byMinusOne = graph.add('Equal', [b, graph.scalar(-1, dtype)]);
  const isUnsafe = graph.add('Or', [graph.add('Equal', [b, graph.scalar(0, dtype)]), byMinusOne]);
  const divisor = graph.add('Where', [isUnsafe, one, b]);
  const truncated = graph.add('Div', [a, divisor]);
  const rest = graph.add('Sub', [a, graph.add('Mul', [truncated, divisor])]);
  const isBelow = graph.cast(haveDifferentSigns(graph, rest, divisor, dtype), dtype);
  return {
    quotient: graph.add('Mul', [graph.add('Sub', [truncated, isBelow]), graph.add('Where', [isUnsafe, b, one])]),
    remainder: graph.add('Add', [rest, graph.add('Mul', [isBelow, divisor])]),
  };
}

/** A count that the kernel can shift by, and whether it is the one that was asked for. */
function shiftCount(
  graph: OnnxGraph,
  count: string,
  dtype: DType,
): { readonly bounded: string; readonly isShift: string } {
  const isNegative = graph.add('Less', [count, graph.scalar(0, dtype)]);
  const isShift = graph.add('And', [
    graph.add('Less', [count, graph.scalar(64, dtype)]),
    graph.add('Not', [isNegative]),
  ]);
  return { bounded: graph.add('Where', [isShift, count, graph.scalar(63, dtype)]), isShift };
}

/** ONNX Runtime shifts unsigned integers only; uint64, which is no dtype here, holds all others. */
function shift(graph: OnnxGraph, direction: 'LEFT' | 'RIGHT', x: string, count: string, dtype: DType): string {
  const wide = [x, count].map((operand) => graph.add('Cast', [operand], { to: { int: 13 } }));
  return graph.cast(graph.add('BitShift', wide, { direction: { string: direction } }), dtype);
}
