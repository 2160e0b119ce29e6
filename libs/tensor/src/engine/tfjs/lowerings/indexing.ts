import { at } from '../../../arrays/at.js';
import { rangeOf } from '../../../ops/slice.js';
import { heldAs } from '../device-dtype.js';
import { moves, type TfjsLowerings } from './lowering.js';
import { integer } from './shapes.js';

export const indexing = {
  oneHot: moves((tf, inputs, { node }) => {
    const [labels, depth] = [at(inputs, 0), integer(at(inputs, 1))];
    const positive = tf.where(tf.less(labels, 0), tf.add(labels, tf.scalar(depth, 'int32')), labels);
    const classes = tf.range(0, depth, 1, 'int32');
    return [tf.cast(tf.equal(tf.expandDims(positive, -1), classes), heldAs(node.output.dtype))];
  }),
  pick: moves((tf, inputs) => {
    const [x, labels] = [at(inputs, 0), at(inputs, 1)];
    const width = at(x.shape, -1);
    // Read on the host: a label beyond its row would pick from the next one, and a GPU says nothing of one beyond the last.
    const positions = Int32Array.from(labels.dataSync(), (label, row) => {
      if (label < -width || label >= width) throw new RangeError(`label ${label} is not one of ${width} classes`);
      return row * width + (label < 0 ? label + width : label);
    });
    return [tf.gather(tf.reshape(x, [x.size]), tf.tensor(positions, labels.shape, 'int32'))];
  }),
  slice: moves((tf, inputs, { parameters: { axis, step } }) => {
    const [x, start, stop] = [at(inputs, 0), integer(at(inputs, 1)), integer(at(inputs, 2))];
    const { first, count } = rangeOf(at(x.shape, axis), start, stop, step);
    if (step === 1 || count === 0) {
      const begin = x.shape.map((_, position) => (position === axis && count > 0 ? first : 0));
      return [tf.slice(x, begin, x.shape.with(axis, count))];
    }
    const positions = Int32Array.from({ length: count }, (_, position) => first + position * step);
    return [tf.gather(x, tf.tensor1d(positions, 'int32'), axis)];
  }),
  unslice: moves((tf, inputs, { parameters: { axis } }) => {
    const [part, like] = [at(inputs, 0), at(inputs, 1)];
    const room = at(like.shape, axis) - at(part.shape, axis);
    // Of a slice that began beyond the end, nothing is put back.
    const before = Math.min(integer(at(inputs, 2)), room);
    return [
      tf.pad(
        part,
        part.shape.map((_, position): [number, number] => (position === axis ? [before, room - before] : [0, 0])),
      ),
    ];
  }),
} satisfies Partial<TfjsLowerings>;
