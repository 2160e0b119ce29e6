import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { asRows, lastAxisTypes } from './last-axis.js';
import { mul } from './mul.js';
import { softmax } from './softmax.js';
import { sub } from './sub.js';
import { sum } from './sum.js';

/** `x - log(sum(exp(x)))` over the last axis, without overflow: the logarithm of softmax. */
export function logSoftmax(x: Variable): Variable {
  checkArguments('logSoftmax', ['x', x, 'variable']);
  return applyOp(logSoftmaxOp(), [x]);
}

/** The op of {@link logSoftmax}. */
export const logSoftmaxOp = defineOp({
  name: 'logSoftmax',
  inferTypes: (inputs) => lastAxisTypes('logSoftmax', at(inputs, 0)),
  grad(node, outputGradients) {
    const gradient = onlyGradient(node, outputGradients);
    const total = sum(gradient, { axis: -1, keepdims: true });
    return [sub(gradient, mul(softmax(at(node.inputs, 0)), total))];
  },
  run(inputs) {
    const x = at(inputs, 0);
    return [dense(x.dtype, x.shape, asRows(x, logSoftmaxRow))];
  },
});

function logSoftmaxRow(row: Float64Array): Float64Array {
  const largest = row.reduce((sofar, element) => Math.max(sofar, element), -Infinity);
  const total = row.reduce((sofar, element) => sofar + Math.exp(element - largest), 0);
  return row.map((element) => element - largest - Math.log(total));
}
