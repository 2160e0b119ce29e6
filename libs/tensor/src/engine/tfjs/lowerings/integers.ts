import type { Tensor } from '@tensorflow/tfjs-core';

import type { NoParameters } from '../../../graph/op.js';
import type { TensorFlow } from '../device.js';
import { binary, choose, unary } from './kernels.js';
import { computesFloats, moves, type TfjsLowering, type TfjsLowerings } from './lowering.js';

/** Of integers, or towards integers. */
export const integers = {
  // Words of 32 bits without a sign, which it has not.
  randomBits: 'host',
  bitAnd: 'host',
  bitNot: 'host',
  bitOr: 'host',
  bitXor: 'host',
  ceil: rounding((tf, x) => tf.ceil(x)),
  floor: rounding((tf, x) => tf.floor(x)),
  floorDiv: computesFloats(
    binary((tf, a, b) => {
      const { remainder, isBelow } = truncatedRemainder(tf, a, b);
      const truncated = tf.round(tf.div(tf.sub(a, remainder), b));
      const quotient = tf.sub(truncated, tf.cast(isBelow, 'float32'));
      return choose(tf, tf.equal(b, tf.scalar(0)), tf.div(a, b), quotient);
    }),
  ),
  leftShift: 'host',
  mod: computesFloats(
    binary((tf, a, b) => {
      const { remainder, isBelow } = truncatedRemainder(tf, a, b);
      return choose(tf, isBelow, tf.add(remainder, b), remainder);
    }),
  ),
  rightShift: 'host',
  round: rounding((tf, x) => tf.round(x)),
} satisfies Partial<TfjsLowerings>;

/** Integers are rounded already. */
function rounding(round: (tf: TensorFlow, x: Tensor) => Tensor): TfjsLowering<NoParameters> {
  return moves(unary((tf, x) => (x.dtype === 'float32' ? round(tf, x) : x)));
}

/** What the quotient leaves when it is truncated, and whether the quotient lies below that integer. */
function truncatedRemainder(tf: TensorFlow, a: Tensor, b: Tensor): { remainder: Tensor; isBelow: Tensor } {
  // Of positive numbers, for which all of TensorFlow's remainders are one.
  const size = tf.mod(tf.abs(a), tf.abs(b));
  const zero = tf.scalar(0);
  const remainder = choose(tf, tf.less(a, zero), tf.neg(size), size);
  const differ = tf.notEqual(tf.less(remainder, zero), tf.less(b, zero));
  return { remainder, isBelow: tf.logicalAnd(differ, tf.notEqual(remainder, zero)) };
}
