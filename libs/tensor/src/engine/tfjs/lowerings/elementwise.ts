import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../../arrays/at.js';
import type { NoParameters } from '../../../graph/op.js';
import type { TensorFlow } from '../device.js';
import { binary, choose, unary } from './kernels.js';
import { computes, moves, type Lower, type TfjsLowerings } from './lowering.js';

export const elementwise = {
  abs: computes(unary((tf, x) => tf.abs(x))),
  add: computes(binary((tf, a, b) => tf.add(a, b))),
  and: computes(binary((tf, a, b) => tf.logicalAnd(a, b))),
  div: computes(binary((tf, a, b) => tf.div(a, b))),
  eq: moves(binary((tf, a, b) => tf.equal(a, b))),
  exp: computes(unary((tf, x) => tf.exp(x))),
  ge: moves(ordered((tf, a, b) => tf.greaterEqual(a, b))),
  gt: moves(ordered((tf, a, b) => tf.greater(a, b))),
  identity: moves(unary((_tf, x) => x)),
  isinf: computes(unary((tf, x) => tf.isInf(x))),
  isnan: computes(unary((tf, x) => tf.isNaN(x))),
  le: moves(ordered((tf, a, b) => tf.lessEqual(a, b))),
  log: computes(unary((tf, x) => tf.log(x))),
  logistic: computes(unary((tf, x) => tf.sigmoid(x))),
  lt: moves(ordered((tf, a, b) => tf.less(a, b))),
  maximum: moves(ordered((tf, a, b) => tf.maximum(a, b))),
  minimum: moves(ordered((tf, a, b) => tf.minimum(a, b))),
  mul: computes(binary((tf, a, b) => tf.mul(a, b))),
  neg: computes(unary((tf, x) => tf.neg(x))),
  neq: moves(binary((tf, a, b) => tf.notEqual(a, b))),
  not: computes(unary((tf, x) => tf.logicalNot(x))),
  or: computes(binary((tf, a, b) => tf.logicalOr(a, b))),
  pow: computes(binary(power)),
  rectifier: moves(unary((tf, x) => tf.maximum(x, tf.scalar(0, x.dtype)))),
  // TensorFlow.js takes the sign of NaN for 0 where it computes in JavaScript.
  sign: computes(unary((tf, x) => (x.dtype === 'float32' ? choose(tf, tf.isNaN(x), x, tf.sign(x)) : tf.sign(x)))),
  softplus: computes(unary((tf, x) => tf.softplus(x))),
  sqrt: computes(unary((tf, x) => tf.sqrt(x))),
  square: computes(unary((tf, x) => tf.square(x))),
  stopGradient: moves(unary((_tf, x) => x)),
  sub: computes(binary((tf, a, b) => tf.sub(a, b))),
  tanh: computes(unary((tf, x) => tf.tanh(x))),
  where: moves((tf, inputs) => [choose(tf, at(inputs, 0), at(inputs, 1), at(inputs, 2))]),
  xor: computes(binary((tf, a, b) => tf.notEqual(a, b))),
} satisfies Partial<TfjsLowerings>;

/** TensorFlow orders no bools. */
function ordered(compute: (tf: TensorFlow, a: Tensor, b: Tensor) => Tensor): Lower<NoParameters> {
  return (tf, inputs, { node }) => {
    const operands = inputs.map((input) => (input.dtype === 'bool' ? tf.cast(input, 'int32') : input));
    const result = compute(tf, at(operands, 0), at(operands, 1));
    return [node.output.dtype === 'bool' ? tf.cast(result, 'bool') : result];
  };
}

/** C's pow: 1 to any power is 1, and so is -1 to an infinite one, where JavaScript says NaN. */
function power(tf: TensorFlow, base: Tensor, exponent: Tensor): Tensor {
  const one = tf.scalar(1);
  const isTurned = tf.logicalAnd(tf.equal(base, tf.scalar(-1)), tf.isInf(exponent));
  return choose(tf, tf.logicalOr(tf.equal(base, one), isTurned), one, tf.pow(base, exponent));
}
