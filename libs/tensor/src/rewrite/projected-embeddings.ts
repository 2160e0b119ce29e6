import { dot } from '../ops/dot.js';
import { take } from '../ops/take.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';
import { takenRows } from './taken-rows.js';

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
