import { sizeOf } from '@longrun/serialization';

import { isAllKnown, isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import { transpose } from '../ops/dimshuffle.js';
import { dot } from '../ops/dot.js';
import { oneHot } from '../ops/one-hot.js';
import { reshape } from '../ops/reshape.js';
import { take } from '../ops/take.js';
import { oneOfOps, type Match } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { ofColumn, ofTransposed } from './transposed.js';
import type { View } from './view.js';
import { isZeros } from './zeros.js';

/** `take(E, i) · W` as `take(E · W, i)`, where more rows are taken than the table has. */
export const projectedEmbedding: Rewrite = {
  name: 'table projected before its rows are taken',
  pattern: oneOfOps('dot'),
  replacement({ node, view }) {
    const [rows, matrix] = node.inputs;
    const taken = rows && takenRows(rows, view);
    if (taken === undefined || matrix?.ndim !== 2) return undefined;
    return take(dot(taken.table, matrix), taken.indices, { axis: 0 });
  },
};

/** `take(E, i)^T · G`, the gradient of W, as `E^T · (sums of the rows of G by what they were taken from)`. */
export const gradientOfProjection: Rewrite = {
  name: 'gradient of the projection of a table',
  pattern: oneOfOps('dot'),
  replacement({ node, view }) {
    const [transposed, gradient] = node.inputs;
    const rows = transposed && ofTransposed(transposed, view);
    const taken = rows && takenRows(unshaped(rows, view), view);
    if (taken === undefined || gradient?.ndim !== 2 || !isNarrow(taken.table)) return undefined;
    return dot(transpose(taken.table), summedByIndex(taken, gradient));
  },
};

/** The sum of the rows of `G · W^T` at the indices of a table, its gradient, as `(sums of the rows of G) · W^T`. */
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
    return dot(summedByIndex({ table, indices: added.indices }, reshape(gradient, [count, width])), matrix);
  },
};

/** Rows of a table, a matrix. */
interface Taken {
  readonly table: Variable;
  /** Integers, of any shape. */
  readonly indices: Variable;
}

/** What rows are taken from, where these are known to be more than the table has. */
function takenRows(variable: Variable, view: View): Taken | undefined {
  const [table, indices] = view.operandsOf('take', variable) ?? [];
  const axis = view.seenThrough(variable).owner?.op.parameters['axis'];
  if (table?.ndim !== 2 || indices === undefined || axis !== 0 || !isAllKnown(indices.shape)) return undefined;
  return isLess(table, sizeOf(indices.shape)) ? { table, indices } : undefined;
}

/** The vector of indices and the rows that are added to zeros there. */
function addedRows({ node, view }: Match): { readonly indices: Variable; readonly rows: Variable } | undefined {
  const [zeros, places, rows] = node.inputs;
  const { axis, mode } = node.op.parameters;
  if (zeros === undefined || places === undefined || rows === undefined || zeros.ndim !== 2) return undefined;
  if (axis !== 0 || mode !== 'add' || !isZeros(zeros, view)) return undefined;
  const [, column] = view.operandsOf('fill', places) ?? [];
  const indices = column && ofColumn(column, view);
  return indices && { indices, rows };
}

/** What rows were before a reshape that left them as they are. */
function unshaped(rows: Variable, view: View): Variable {
  const [before] = view.operandsOf('reshape', rows) ?? [];
  return before !== undefined && before.shape.at(-1) === rows.shape.at(-1) ? before : rows;
}

/** Whether a table is less by half than so many of its rows. */
function isLess({ shape: [rows = null] }: Variable, count: number): boolean {
  return isKnown(rows) && 2 * rows <= count;
}

/** Whether a table has no more rows than numbers in each: summing by a product takes less than what it saves. */
function isNarrow({ shape: [rows = null, width = null] }: Variable): boolean {
  return isKnown(rows) && isKnown(width) && rows <= width;
}

/** For each row of the table, the sum of the rows of a matrix that were taken from it: a product is faster than adding them up one by one. */
function summedByIndex({ table, indices }: Taken, rows: Variable): Variable {
  const labels = reshape(indices, [sizeOf(indices.shape.map(Number))]);
  return dot(transpose(oneHot(labels, Number(table.shape[0]), rows.dtype)), rows);
}
