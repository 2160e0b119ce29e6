import { at } from '../arrays/at.js';
import { dense } from '../arrays/dense-array.js';
import { applyOp } from '../graph/apply.js';
import { checkArguments } from '../graph/arguments.js';
import { DISCONNECTED } from '../graph/gradient-flow.js';
import { defineOp } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';
import { normalizeAxis } from './axis.js';
import { groupsOf } from './reduction.js';
import { takeAlongAxis } from './take-along-axis.js';

/** Options of {@link argsort} and {@link sort}. */
export interface SortOptions {
  /** Negative ones count from the end. Default: the last. */
  readonly axis?: number;
  /** From the largest down. Default false. */
  readonly descending?: boolean;
}

/**
 * The int64 indices in which the elements of an axis are in order, upwards unless `descending` is set. Equal ones keep their order, and NaN
 * counts as larger than all else. No gradient flows through it.
 */
export function argsort(x: Variable, options: SortOptions = {}): Variable {
  checkArguments('argsort', ['x', x, 'variable'], ['options', options, 'options']);
  const axis = normalizeAxis('argsort', x, options.axis ?? -1);
  return applyOp(argsortOp({ axis, descending: options.descending ?? false }), [x]);
}

/** x with the elements of an axis in order, upwards unless `descending` is set; NaN counts as larger than all else. */
export function sort(x: Variable, options: SortOptions = {}): Variable {
  checkArguments('sort', ['x', x, 'variable'], ['options', options, 'options']);
  const axis = normalizeAxis('sort', x, options.axis ?? -1);
  return takeAlongAxis(x, argsort(x, options), { axis });
}

/** The op of {@link argsort}. */
export const argsortOp = defineOp({
  name: 'argsort',
  inferTypes: (inputs, _parameters: { readonly axis: number; readonly descending: boolean }) => [
    { dtype: 'int64', shape: at(inputs, 0).shape },
  ],
  grad: () => [DISCONNECTED],
  run(inputs, _node, { axis, descending }) {
    const x = at(inputs, 0);
    const { groups, elements } = groupsOf(x.shape, [axis]);
    const result = dense('int64', x.shape);
    for (const start of groups) {
      const row = Array.from(elements, (offset) => at(x.data, start + offset));
      const order = row.map((_, position) => position);
      order.sort(
        (a, b) => (descending ? ascending(at(row, b), at(row, a)) : ascending(at(row, a), at(row, b))) || a - b,
      );
      for (const [position, index] of order.entries()) result.data[start + at(elements, position)] = index;
    }
    return [result];
  },
});

function ascending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}
