import { sizeOf } from '@longrun/serialization';
import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../../arrays/at.js';
import { broadcastTo } from './kernels.js';
import { computes, type TfjsLowerings } from './lowering.js';

export const linearAlgebra = {
  dot: computes((tf, inputs) => {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    const inner = at(a.shape, -1);
    if (inner !== at(b.shape, 0)) {
      throw new RangeError(`(${a.shape.join(', ')}) and (${b.shape.join(', ')}) cannot be multiplied`);
    }
    const rows = tf.reshape(a, [sizeOf(a.shape.slice(0, -1)), inner]);
    const columns = tf.reshape(b, [inner, sizeOf(b.shape.slice(1))]);
    return [tf.reshape(tf.matMul(rows, columns), [...a.shape.slice(0, -1), ...b.shape.slice(1)])];
  }),
  matmul: computes((tf, inputs) => {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    const leading = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    // In JavaScript it multiplies too few matrices when their axes broadcast.
    const whole = (x: Tensor): Tensor => broadcastTo(tf, x, [...leading, ...x.shape.slice(-2)]);
    return [tf.matMul(whole(a), whole(b))];
  }),
} satisfies Partial<TfjsLowerings>;
