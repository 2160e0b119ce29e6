import { sizeOf } from '@longrun/serialization';
import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../../arrays/at.js';
import type { NoParameters } from '../../../graph/op.js';
import type { TensorFlow } from '../device.js';
import type { Lower } from './lowering.js';

/** Of one operand. */
export function unary(compute: (tf: TensorFlow, x: Tensor) => Tensor): Lower<NoParameters> {
  return (tf, inputs) => [compute(tf, at(inputs, 0))];
}

/** Of two operands, which broadcast. */
export function binary(compute: (tf: TensorFlow, a: Tensor, b: Tensor) => Tensor): Lower<NoParameters> {
  return (tf, inputs) => [compute(tf, at(inputs, 0), at(inputs, 1))];
}

/** As `tf.where`, which takes the shape of a or b for that of nothing where it computes in JavaScript. */
export function choose(tf: TensorFlow, condition: Tensor, a: Tensor, b: Tensor): Tensor {
  if (condition.size * a.size * b.size > 0) return tf.where(condition, a, b);
  const { assertAndGetBroadcastShape: broadcastShape } = tf.broadcast_util;
  return tf.zeros(broadcastShape(condition.shape, broadcastShape(a.shape, b.shape)), a.dtype);
}

/** As `tf.broadcastTo`, which does not make an axis of size 0. */
export function broadcastTo(tf: TensorFlow, x: Tensor, shape: readonly number[]): Tensor {
  return sizeOf(shape) === 0 ? tf.zeros([...shape], x.dtype) : tf.broadcastTo(x, [...shape]);
}
