import { at } from '../../../arrays/at.js';
import { computes, type TfjsLowerings } from './lowering.js';

export const softmax = {
  logSoftmax: computes((tf, inputs) => [tf.logSoftmax(at(inputs, 0))]),
  softmax: computes((tf, inputs) => [tf.softmax(at(inputs, 0))]),
} satisfies Partial<TfjsLowerings>;
