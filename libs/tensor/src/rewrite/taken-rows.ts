import { sizeOf } from '@longrun/serialization';

import { isAllKnown, isKnown } from '../graph/tensor-type.js';
import type { Variable } from '../graph/variable.js';
import type { View } from './view.js';

/** Rows of a table, a matrix. */
export interface Taken {
  readonly table: Variable;
  /** Integers, of any shape. */
  readonly indices: Variable;
}

/** What rows are taken from, where these are known to be more than the table has. */
export function takenRows(variable: Variable, view: View): Taken | undefined {
  const [table, indices] = view.operandsOf('take', variable) ?? [];
  const axis = view.seenThrough(variable).owner?.op.parameters['axis'];
  if (table?.ndim !== 2 || indices === undefined || axis !== 0 || !isAllKnown(indices.shape)) return undefined;
  return isLess(table, sizeOf(indices.shape)) ? { table, indices } : undefined;
}

/** Whether a table is less by half than so many of its rows. */
export function isLess({ shape: [rows = null] }: Variable, count: number): boolean {
  return isKnown(rows) && 2 * rows <= count;
}
