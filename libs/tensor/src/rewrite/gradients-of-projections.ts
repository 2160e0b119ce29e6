import { sizeOf } from '@longrun/serialization';

import { at } from '../arrays/at.js';
import { isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { zeros } from '../ops/broadcast-to.js';
import { dimshuffle, transpose } from '../ops/dimshuffle.js';
import { dot } from '../ops/dot.js';
import { gt } from '../ops/gt.js';
import { ifElse } from '../ops/if-else.js';
import { isfinite } from '../ops/isfinite.js';
import { oneHot } from '../ops/one-hot.js';
import { reshape } from '../ops/reshape.js';
import { scatterAdd } from '../ops/scatter-add.js';
import { sum } from '../ops/sum.js';
import { where } from '../ops/where.js';
import { oneOfOps, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { isLess, takenRows, type Taken } from './taken-rows.js';
import { ofColumn, ofTransposed } from './transposed.js';
import type { View } from './view.js';
import { isZeros } from './zeros.js';

/**
 * `take(E, i)^T · G`, the gradient of the W of `take(E, i) · W`, as `E^T · S`: the rows of G are summed by what was taken for them, before the product and not
 * by it. What no row was taken of is left out, so that only what was taken makes something no number.
 */
export const gradientOfProjection: Rewrite = {
  name: 'gradient of the projection of a table',
  pattern: oneOfOps('dot'),
  replacement({ node, view }) {
    const [transposed, gradient] = node.inputs;
    const rows = transposed && ofTransposed(transposed, view);
    const taken = rows && takenRows(unshaped(rows, view), view);
    if (taken === undefined || gradient?.ndim !== 2 || !isNarrow(taken.table)) return undefined;
    return dot(transpose(whereTaken(taken, taken.table)), summedByIndex(taken, gradient));
  },
};

/** The sum of the rows of `G · W^T` at the indices of a table, its gradient, as `S · W^T`. */
export const gradientOfProjectedEmbedding: Rewrite = {
  name: 'gradient of a table that is projected',
  pattern: oneOfOps('putAlongAxis'),
  replacement(match) {
    const added = addedRows(match);
    const product = added && unshaped(added.rows, match.view);
    const [gradient, matrix] = (product && match.view.operandsOf('dot', product)) ?? [];
    if (added === undefined || gradient === undefined || matrix?.ndim !== 2) return undefined;
    const table = match.node.output;
    const [count, width] = [added.indices.shape[0], matrix.shape[0]];
    if (!isKnown(count) || !isKnown(width) || !isNarrow(table) || !isLess(table, count)) return undefined;
    const taken = { table, indices: added.indices };
    return whereTaken(taken, dot(summedByIndex(taken, reshape(gradient, [count, width])), matrix));
  },
};

/** The vector of indices and the rows that are added to zeros there. */
function addedRows({ node, view }: Match): { readonly indices: Variable; readonly rows: Variable } | undefined {
  const [before, places, rows] = node.inputs;
  const { axis, mode } = node.op.parameters;
  if (before === undefined || places === undefined || rows === undefined || before.ndim !== 2) return undefined;
  if (axis !== 0 || mode !== 'add' || !isZeros(before, view)) return undefined;
  const [, column] = view.operandsOf('fill', places) ?? [];
  const indices = column && ofColumn(column, view);
  return indices && { indices, rows };
}

/** What rows were before a reshape that left them as they are. */
function unshaped(rows: Variable, view: View): Variable {
  const [before] = view.operandsOf('reshape', rows) ?? [];
  return before !== undefined && before.shape.at(-1) === rows.shape.at(-1) ? before : rows;
}

/** Whether a table has no more rows than numbers in each: summing by a product takes less than what it saves. */
function isNarrow({ shape: [rows = null, width = null] }: Variable): boolean {
  return isKnown(rows) && isKnown(width) && rows <= width;
}

/**
 * For each row of the table, the sum of the rows of a matrix that were taken from it: a product is faster than adding them up one by one, but makes more
 * no number than what has a number that is none in it.
 */
function summedByIndex({ table, indices }: Taken, rows: Variable): Variable {
  const labels = labelsOf(indices);
  const shape = [Number(table.shape[0]), Number(rows.shape[1])];
  const choice = ifElse(
    isfinite(sum(rows)),
    () => dot(transpose(oneHot(labels, Number(table.shape[0]), rows.dtype)), rows),
    () => scatterAdd(zeros(shape, rows.dtype), labels, rows),
  );
  return at(choice, 0);
}

/** The rows of a matrix whose rows in the table were taken, and zeros. */
function whereTaken({ table, indices }: Taken, rows: Variable): Variable {
  const counts = sum(oneHot(labelsOf(indices), Number(table.shape[0]), rows.dtype), { axis: 0 });
  return where(dimshuffle(gt(counts, 0), [0, 'x']), rows, 0);
}

function labelsOf(indices: Variable): Variable {
  return reshape(indices, [sizeOf(indices.shape.map(Number))]);
}
