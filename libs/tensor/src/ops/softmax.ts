import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { defineOp, onlyGradient } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { asRows, lastAxisTypes } from './last-axis.js';
import { mul } from './mul.js';
import { sub } from './sub.js';
import { sum } from './sum.js';

/** `exp(x) / sum(exp(x))` over the last axis, without overflow. */
export function softmax(x: Variable): Variable {
  checkArguments('softmax', ['x', x, 'variable']);
  return applyOp(softmaxOp(), [x]);
}

/** The op of {@link softmax}. */
export const softmaxOp = defineOp({
  name: 'softmax',
  inferTypes: (inputs) => lastAxisTypes('softmax', at(inputs, 0)),
  grad(node, outputGradients) {
    const weighted = mul(onlyGradient(node, outputGradients), node.output);
    return [sub(weighted, mul(node.output, sum(weighted, { axis: -1, keepdims: true })))];
  },
  run(inputs) {
    const x = at(inputs, 0);
    return [dense(x.dtype, x.shape, asRows(x, softmaxRow))];
  },
});

function softmaxRow(row: Float64Array): Float64Array {
  const largest = row.reduce((sofar, element) => Math.max(sofar, element), -Infinity);
  const powers = row.map((element) => Math.exp(element - largest));
  const total = powers.reduce((sofar, power) => sofar + power, 0);
  return powers.map((power) => power / total);
}
