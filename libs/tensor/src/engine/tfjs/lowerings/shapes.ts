import type { DType } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
import { deviceDType, heldAs } from '../device-dtype.js';
import { broadcastTo } from './kernels.js';
import { moves, type TfjsLowering, type TfjsLowerings } from './lowering.js';

const cast: TfjsLowering<{ readonly dtype: DType }> = {
  ...moves((tf, inputs, { parameters: { dtype } }) => {
    const [x, wanted] = [at(inputs, 0), heldAs(dtype)];
    return [wanted === 'bool' && x.dtype !== 'bool' ? tf.notEqual(x, tf.scalar(0, x.dtype)) : tf.cast(x, wanted)];
  }),
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
  arange: 'host',
  broadcastTo: moves(
    (tf, inputs, { integers, parameters: { shape } }) => [broadcastTo(tf, at(inputs, 0), sizesOf(shape, integers))],
    { readsInteger: (position) => position > 0 },
  ),
  cast,
  concatenate: moves((tf, inputs, { parameters: { axis } }) => {
    const joined = tf.concat([...inputs], axis);
    // In JavaScript, what it gives where there are no elements cannot be cut.
    return [joined.size === 0 ? tf.zeros(joined.shape, joined.dtype) : joined];
  }),
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
  reshape: moves(
    (tf, inputs, { integers, parameters: { shape } }) => [tf.reshape(at(inputs, 0), sizesOf(shape, integers))],
    { readsInteger: (position) => position > 0 },
  ),
} satisfies Partial<TfjsLowerings>;

/** A shape with those of its sizes that are inputs. */
function sizesOf(shape: readonly (number | 'input')[], inputs: readonly number[]): number[] {
  let next = 0;
  return shape.map((size) => {
    if (size !== 'input') return size;
    next += 1;
    return at(inputs, next - 1);
  });
}
