import type { Apply } from '../graph/apply.js';
import type { InnerGraph } from '../graph/op.js';
import type { Variable } from '../graph/variable.js';

/** How often the applications of an inner graph read a variable, or the inner graph gives it. */
export function usesInside(order: readonly Apply[], { outputs }: InnerGraph): ReadonlyMap<Variable, number> {
  const uses = new Map<Variable, number>();
  for (const variable of [...order.flatMap(({ inputs }) => inputs), ...outputs])
    uses.set(variable, (uses.get(variable) ?? 0) + 1);
  return uses;
}
