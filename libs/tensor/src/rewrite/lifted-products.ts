import { at } from '../arrays/at.js';
import { liftedIntoSequences } from './lifted-into-sequences.js';
import { oneOfOps } from './pattern.js';
import type { Rewrite } from './rewrite.js';

/** Products of the rows of a sequence with one matrix in all steps of a scan, as one product of all rows before it: sums may be made in another order. */
export const liftedProducts: Rewrite = {
  name: 'products before a scan',
  pattern: oneOfOps('scan'),
  replacement: (match) =>
    liftedIntoSequences(match, ({ op, inputs }, ofRows) => {
      if (op.name !== 'dot') return undefined;
      const [rows, matrix] = [at(inputs, 0), at(inputs, 1)];
      return ofRows(rows) && !ofRows(matrix) && rows.ndim > 0 && matrix.ndim === 2 ? op : undefined;
    }),
};
