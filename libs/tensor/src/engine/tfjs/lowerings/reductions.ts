import type { Tensor } from '@tensorflow/tfjs-core';

import { at } from '../../../arrays/at.js';
import { reducedShape, type ReductionParameters } from '../../../ops/reduction.js';
import type { TensorFlow } from '../device.js';
import { computes, moves, type Lower, type TfjsLowerings } from './lowering.js';

export const reductions = {
  argmax: moves((tf, inputs, { parameters: { axis, keepdims } }) => {
    const x = at(inputs, 0);
    const found = tf.argMax(x.dtype === 'float32' ? withNaNLargest(tf, x, axis) : x, axis);
    return [keepdims ? tf.expandDims(found, axis) : found];
  }),
  cumsum: computes((tf, inputs, { parameters: { axis, reverse } }) => [tf.cumsum(at(inputs, 0), axis, false, reverse)]),
  // Not tf.logSumExp, which says that it is NaN of nothing but -Infinity.
  logsumexp: computes(
    reduction((tf, x, { axis, keepdims }) => {
      const largest = extreme('max')(tf, x, { axis, keepdims: true });
      const shift = tf.where(tf.isFinite(largest), largest, tf.zerosLike(largest));
      const total = tf.sum(tf.exp(tf.sub(x, shift)), [...axis], true);
      return tf.reshape(tf.add(shift, tf.log(total)), reducedShape(x.shape, axis, keepdims));
    }),
  ),
  max: moves(reduction(extreme('max'))),
  // Not tf.mean, which says that the mean of nothing is 0 where it computes in JavaScript.
  mean: computes(
    reduction((tf, x, { axis, keepdims }) => {
      const count = axis.reduce((product, reduced) => product * at(x.shape, reduced), 1);
      return tf.div(tf.sum(x, [...axis], keepdims), tf.scalar(count));
    }),
  ),
  min: moves(reduction(extreme('min'))),
  prod: computes(reduction((tf, x, { axis, keepdims }) => tf.prod(x, [...axis], keepdims))),
  sum: computes(reduction((tf, x, { axis, keepdims }) => tf.sum(x, [...axis], keepdims))),
} satisfies Partial<TfjsLowerings>;

type Reduce = (tf: TensorFlow, x: Tensor, parameters: ReductionParameters) => Tensor;

/** Of nothing, what no element goes beyond. */
function extreme(which: 'max' | 'min'): Reduce {
  return (tf, x, { axis, keepdims }) =>
    axis.some((reduced) => x.shape[reduced] === 0)
      ? tf.fill(reducedShape(x.shape, axis, keepdims), which === 'max' ? -Infinity : Infinity, x.dtype)
      : tf[which](x, [...axis], keepdims);
}

/** Without axes nothing is reduced. */
function reduction(reduce: Reduce): Lower<ReductionParameters> {
  return (tf, inputs, { parameters }) => {
    const x = at(inputs, 0);
    return [parameters.axis.length === 0 ? x : reduce(tf, x, parameters)];
  };
}

/** Of a row with NaN the maximum is the first of them, as in NumPy; TensorFlow's argmax passes over them. */
function withNaNLargest(tf: TensorFlow, x: Tensor, axis: number): Tensor {
  const isNaN = tf.isNaN(x);
  return tf.where(tf.any(isNaN, axis, true), tf.cast(isNaN, 'float32'), x);
}
