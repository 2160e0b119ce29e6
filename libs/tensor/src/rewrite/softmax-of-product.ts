import { at } from '../arrays/at.js';
import { applyOp } from '../graph/apply.js';
import { isAllKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { dimshuffle } from '../ops/dimshuffle.js';
import { matmulOp } from '../ops/matmul.js';
import { mul } from '../ops/mul.js';
import { sub } from '../ops/sub.js';
import { eitherWay, hole, op, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import type { View } from './view.js';

/**
 * The gradient of weights y by softmax that a product `o = y·v` is made with, as in attention: `y * (g - sum(g * y))`, g being `d·transposed(v)`. Its sums are
 * those of `d * o`, which has fewer elements than g where there are more weights than a row of v has elements.
 */
export const softmaxOfProduct: Rewrite = {
  name: 'gradient of weights of a product',
  pattern: op('sub', hole('weighted'), eitherWay('mul', hole('y'), op('sum', hole('weighted')))),
  replacement(match) {
    const { view } = match;
    const [y, weighted] = [match.of('y'), match.of('weighted')];
    const sum = totalOf(match);
    const axis = sum?.owner?.op.parameters['axis'];
    if (sum === undefined || !Array.isArray(axis) || axis.length !== 1 || axis[0] !== y.ndim - 1) return undefined;
    if (sum.ndim !== y.ndim || !isAllKnown(weighted.shape) || weighted.shape.join() !== y.shape.join())
      return undefined;
    const factors = view.operandsOf('mul', weighted) ?? [];
    const gradient = factors.find((_, position) => view.same(at(factors, 1 - position), y));
    const [d, transposed] = (gradient && view.operandsOf('matmul', gradient)) ?? [];
    if (gradient === undefined || d === undefined || transposed === undefined) return undefined;
    const exchanged = swapped(transposed, view);
    const product = twinOf(applyOp(matmulOp(), [y, twinOf(exchanged, view) ?? exchanged]), view);
    const isSmaller = Number(d.shape.at(-1)) < Number(y.shape.at(-1)) && product?.shape.join() === d.shape.join();
    if (product === undefined || !isSmaller || sum.owner === null) return undefined;
    return mul(y, sub(gradient, applyOp(sum.owner.op, [mul(d, product)])));
  },
};

/** The sum of a match. */
function totalOf({ node, view }: Match): Variable | undefined {
  const factors = view.operandsOf('mul', at(node.inputs, 1)) ?? [];
  return factors.find((factor) => view.operandsOf('sum', factor) !== undefined);
}

/** A variable with its last two axes exchanged, as one dimshuffle of what it is one of. */
function swapped(variable: Variable, view: View): Variable {
  const axes = variable.shape.map((_, axis) => axis);
  const order = [...axes.slice(0, -2), variable.ndim - 1, variable.ndim - 2];
  const [x] = view.operandsOf('dimshuffle', variable) ?? [];
  const before: unknown = view.seenThrough(variable).owner?.op.parameters['order'];
  if (x === undefined || !Array.isArray(before)) return dimshuffle(variable, order);
  const both = order.map((axis) => (before[axis] === 'x' ? 'x' : Number(before[axis])));
  return both.length === x.ndim && both.every((axis, position) => axis === position) ? x : dimshuffle(x, both);
}

/** What is in the graph already and is computed alike; undefined where nothing is. */
function twinOf({ owner }: Variable, view: View): Variable | undefined {
  return owner === null ? undefined : view.twinOf(owner)?.output;
}
