import { at } from '../arrays/at.js';
import { applyOp } from '../graph/apply.js';
import type { Variable } from '../graph/variable.js';
import { dimensions } from '../ops/dimension.js';
import { gt } from '../ops/gt.js';
import { maxPool2dOp } from '../ops/max-pool2d.js';
import type { PoolParameters } from '../ops/pool-output-shape.js';
import { putAlongAxis } from '../ops/put-along-axis.js';
import { reshape } from '../ops/reshape.js';
import { where } from '../ops/where.js';
import { hole, op, scalarOf, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { isZeros } from './zeros.js';

/**
 * The gradient of `maxPool2d(rectifier(x))`, which is 0 where x is not positive: it is made 0 where the maximum is not positive, of which there are fewer,
 * before it is put in the places of maxima.
 */
export const rectifiedPool: Rewrite = {
  name: 'rectifier before a pool',
  pattern: op('where', op('gt', hole('x'), scalarOf(0)), op('reshape', hole('unpooled')), scalarOf(0)),
  replacement(match) {
    const found = unpoolingOf(match);
    if (found === undefined) return undefined;
    const { zeros, places, values, image, parameters } = found;
    const largest = reshape(applyOp(maxPool2dOp(parameters), [image]), dimensions(values));
    const positive = where(gt(largest, 0), values, 0);
    return reshape(putAlongAxis(zeros, places, positive, { mode: 'add' }), dimensions(image));
  },
};

/** Values that are added to zeros in the places of the largest elements of windows. */
interface Unpooling {
  readonly zeros: Variable;
  readonly places: Variable;
  readonly values: Variable;
  /** What is pooled. */
  readonly image: Variable;
  readonly parameters: PoolParameters;
}

/** What the gradient of a pool is made of, where the rectifier's hides some of it. */
function unpoolingOf(match: Match): Unpooling | undefined {
  const { view } = match;
  const put = view.ownerOf(view.seenThrough(match.of('unpooled')));
  const isAdded = put?.op.name === 'putAlongAxis' && put.op.parameters['mode'] === 'add';
  const [zeros, places, values] = isAdded ? put.inputs : [];
  if (zeros === undefined || places === undefined || values === undefined || !isZeros(zeros, view)) return undefined;
  const [found] = view.operandsOf('reshape', places) ?? [];
  const pool = found && view.ownerOf(view.seenThrough(found));
  if (pool?.op.name !== 'maxPool2dPlaces') return undefined;
  const image = at(pool.inputs, 0);
  const [x] = view.operandsOf('rectifier', image) ?? [];
  if (x === undefined || !view.same(x, match.of('x'))) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- those of the op of that name
  return { zeros, places, values, image, parameters: pool.op.parameters as PoolParameters };
}
