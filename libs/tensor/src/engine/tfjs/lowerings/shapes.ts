import { sizeOf, type DType } from '@longrun/serialization';
import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../../arrays/at.js';
import { deviceDType, heldAs } from '../device-dtype.js';
import type { TensorFlow } from '../device.js';
import { moves, type TfjsLowering, type TfjsLowerings } from './lowering.js';

/** A number that the host needs: a size, a bound. Of what was computed on a device it waits for the device. */
export function integer(scalar: Tensor): number {
  return at(scalar.dataSync(), 0);
}

/** As `tf.broadcastTo`, which does not make an axis of size 0. */
export function broadcastTo(tf: TensorFlow, x: Tensor, shape: readonly number[]): Tensor {
  return sizeOf(shape) === 0 ? tf.zeros([...shape], x.dtype) : tf.broadcastTo(x, [...shape]);
}

const cast: TfjsLowering<{ readonly dtype: DType }> = {
  lower(tf, inputs, { parameters: { dtype } }) {
    const [x, wanted] = [at(inputs, 0), heldAs(dtype)];
    return [wanted === 'bool' && x.dtype !== 'bool' ? tf.notEqual(x, tf.scalar(0, x.dtype)) : tf.cast(x, wanted)];
  },
  refuses(dtypes) {
    const [from, to] = [at(dtypes, 0), at(dtypes, 1)];
    for (const dtype of [from, to]) {
      if (deviceDType(dtype) === undefined) return `it has no ${dtype}`;
    }
    // What int32 cannot hold would wrap, or saturate, at its width.
    const fits = to === 'float32' || to === 'int32' || to === 'bool' || (to === 'int64' && from !== 'float32');
    return fits ? undefined : `it does not cast ${from} to ${to}`;
  },
};

export const shapes = {
  cast,
  concatenate: moves((tf, inputs, { parameters: { axis } }) => [tf.concat([...inputs], axis)]),
  dimension: moves((tf, inputs, { parameters: { axis } }) => [tf.scalar(at(at(inputs, 0).shape, axis), 'int32')]),
  dimshuffle: moves((tf, inputs, { node, parameters: { order } }) => {
    const x = at(inputs, 0);
    const kept = order.filter((axis) => axis !== 'x');
    const dropped = at(node.inputs, 0).shape.flatMap((_, axis) => (kept.includes(axis) ? [] : [axis]));
    const permuted = tf.transpose(x, [...kept, ...dropped]);
    return [
      tf.reshape(
        permuted,
        order.map((axis) => (axis === 'x' ? 1 : at(x.shape, axis))),
      ),
    ];
  }),
  fill: moves((tf, inputs) => [broadcastTo(tf, at(inputs, 1), at(inputs, 0).shape)]),
  reshape: moves((tf, inputs, { parameters: { shape } }) => {
    let next = 0;
    const sizes = shape.map((size) => {
      if (size !== 'input') return size;
      next += 1;
      return integer(at(inputs, next));
    });
    return [tf.reshape(at(inputs, 0), sizes)];
  }),
} satisfies Partial<TfjsLowerings>;
