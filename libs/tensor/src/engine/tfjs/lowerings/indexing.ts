import { at } from '../../../arrays/at.js';
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
  slice: moves((tf, inputs, { parameters: { axis } }) => {
    const x = at(inputs, 0);
    const size = at(x.shape, axis);
    const [start, stop] = [1, 2].map((bound) => Math.min(integer(at(inputs, bound)), size)) as [number, number];
    const begin = x.shape.map((_, position) => (position === axis ? start : 0));
    return [tf.slice(x, begin, x.shape.with(axis, Math.max(0, stop - start)))];
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
