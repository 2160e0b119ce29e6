import { at } from '../../../arrays/at.js';
import { dense } from '../../../arrays/dense-array.js';
import { unary } from './kernels.js';
import { computes, type TfjsLowerings } from './lowering.js';

export const specialFunctions = {
  cos: computes(unary((tf, x) => tf.cos(x))),
  erf: computes((tf, inputs, { node }) => {
    const x = at(inputs, 0);
    if (tf.getBackend() !== 'cpu') return [tf.erf(x)];
    // In JavaScript it has seven digits of one, and so none of a small number.
    const exact = node.op.run([dense('float32', x.shape, Float64Array.from(x.dataSync()))], node);
    return [tf.tensor(Float32Array.from(at(exact, 0).data), x.shape)];
  }),
  expm1: computes(unary((tf, x) => tf.expm1(x))),
  log1p: computes(unary((tf, x) => tf.log1p(x))),
  sin: computes(unary((tf, x) => tf.sin(x))),
  softsign: computes(unary((tf, x) => tf.div(x, tf.add(tf.abs(x), tf.scalar(1))))),
} satisfies Partial<TfjsLowerings>;
