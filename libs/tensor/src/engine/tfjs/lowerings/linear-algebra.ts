import { sizeOf } from '@longrun/serialization';

import { at } from '../../../arrays/at.js';
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
} satisfies Partial<TfjsLowerings>;
