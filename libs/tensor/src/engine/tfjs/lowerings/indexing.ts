import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../../arrays/at.js';
import { dense } from '../../../arrays/dense-array.js';
import { placesAlongAxis, pointedAt } from '../../../ops/indices.js';
import { rangeOf } from '../../../ops/slice.js';
import type { TensorFlow } from '../device.js';
import { deviceDType, heldAs } from '../device-dtype.js';
import { moves, type TfjsLowering, type TfjsLowerings } from './lowering.js';

/** Adds to what stands there, or puts something else in its place. */
const putAlongAxis: TfjsLowering<{ readonly axis: number; readonly mode: 'set' | 'add' }> = {
  ...moves((tf, inputs, { node, parameters: { axis, mode } }) => {
    const [x, values] = [at(inputs, 0), at(inputs, 2)];
    const places = placesAlongAxis(node, x.shape, hostCopy(at(inputs, 1)), axis);
    if (places.length === 0) return [x];
    const flat = tf.reshape(values, [values.size]);
    if (mode === 'add') {
      const columns = tf.tensor(places, [places.length, 1], 'int32');
      return [tf.add(x, tf.reshape(tf.scatterND(columns, flat, [x.size]), x.shape))];
    }
    // Each element is taken from x or from the values behind it.
    const sources = Int32Array.from({ length: x.size }, (_, place) => place);
    for (const [position, place] of places.entries()) sources[place] = x.size + position;
    return [taken(tf, tf.concat([tf.reshape(x, [x.size]), flat]), sources, x.shape)];
  }),
  refuses(dtypes) {
    // Integers that are added up would wrap elsewhere.
    const lacking = [at(dtypes, 0), at(dtypes, 2)].find((dtype) => deviceDType(dtype) !== dtype);
    return lacking === undefined ? undefined : `it does not compute in ${lacking}`;
  },
};

export const indexing = {
  // TensorFlow.js keeps no order among equals.
  argsort: 'host',
  oneHot: moves(
    (tf, inputs, { node, integers }) => {
      const [labels, depth] = [at(inputs, 0), at(integers, 0)];
      const positive = tf.where(tf.less(labels, 0), tf.add(labels, tf.scalar(depth, 'int32')), labels);
      const classes = tf.range(0, depth, 1, 'int32');
      return [tf.cast(tf.equal(tf.expandDims(positive, -1), classes), heldAs(node.output.dtype))];
    },
    { readsInteger: (position) => position === 1 },
  ),
  pick: moves((tf, inputs) => {
    const [x, labels] = [at(inputs, 0), at(inputs, 1)];
    const width = at(x.shape, -1);
    // Read on the host: a label beyond its row would pick from the next one, and a GPU says nothing of one beyond the last.
    const positions = Int32Array.from(labels.dataSync(), (label, row) => {
      if (label < -width || label >= width) throw new RangeError(`label ${label} is not one of ${width} classes`);
      return row * width + (label < 0 ? label + width : label);
    });
    return [taken(tf, x, positions, labels.shape)];
  }),
  putAlongAxis,
  slice: moves(
    (tf, inputs, { integers, parameters: { axis, step } }) => {
      const x = at(inputs, 0);
      const { first, count } = rangeOf(at(x.shape, axis), at(integers, 0), at(integers, 1), step);
      if (step !== 1) {
        const rows = Int32Array.from({ length: count }, (_, k) => first + k * step);
        return [takenRows(tf, x, rows, axis)];
      }
      const begin = x.shape.map((_, position) => (position === axis ? first : 0));
      return [tf.slice(x, begin, x.shape.with(axis, count))];
    },
    { readsInteger: (position) => position > 0 },
  ),
  take: moves((tf, inputs, { node, parameters: { axis } }) => {
    const [x, indices] = [at(inputs, 0), at(inputs, 1)];
    const rows = Int32Array.from(pointedAt(node, hostCopy(indices).data, at(x.shape, axis)));
    return [tf.reshape(takenRows(tf, x, rows, axis), x.shape.toSpliced(axis, 1, ...indices.shape))];
  }),
  takeAlongAxis: moves((tf, inputs, { node, parameters: { axis } }) => {
    const [x, indices] = [at(inputs, 0), at(inputs, 1)];
    return [taken(tf, x, placesAlongAxis(node, x.shape, hostCopy(indices), axis), indices.shape)];
  }),
  unslice: moves(
    (tf, inputs, { integers, parameters: { axis } }) => {
      const [part, like] = [at(inputs, 0), at(inputs, 1)];
      const room = at(like.shape, axis) - at(part.shape, axis);
      // Of a slice that began beyond the end, nothing is put back.
      const before = Math.max(0, Math.min(at(integers, 0), room));
      return [
        tf.pad(
          part,
          part.shape.map((_, position): [number, number] => (position === axis ? [before, room - before] : [0, 0])),
        ),
      ];
    },
    { readsInteger: (position) => position === 2 },
  ),
} satisfies Partial<TfjsLowerings>;

/** Indices, for the host to check: a GPU says nothing of those out of range. */
function hostCopy(indices: Tensor): ReturnType<typeof dense> {
  return dense('int64', indices.shape, Float64Array.from(indices.dataSync()));
}

/** The elements of x at offsets of its row-major order. */
function taken(tf: TensorFlow, x: Tensor, offsets: Int32Array, shape: readonly number[]): Tensor {
  if (offsets.length === 0) return tf.zeros([...shape], x.dtype);
  return tf.reshape(tf.gather(tf.reshape(x, [x.size]), tf.tensor(offsets, [offsets.length], 'int32')), [...shape]);
}

function takenRows(tf: TensorFlow, x: Tensor, rows: Int32Array, axis: number): Tensor {
  if (rows.length === 0 || x.size === 0) return tf.zeros(x.shape.with(axis, rows.length), x.dtype);
  return tf.gather(x, tf.tensor(rows, [rows.length], 'int32'), axis);
}
