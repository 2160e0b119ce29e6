import { sizeOf } from '@longrun/serialization';

import { Constant } from './constant.js';
import type { Variable } from './variable.js';
import { ancestors } from './walk.js';

/**
 * Names for people, one for each variable that `outputs` depend on, inner graphs included, and no two alike: its own name, or that of
 * its op with a number. A scalar constant has its value for a name. The same graph has the same names, whenever it was built.
 */
export function stableNames(outputs: readonly Variable[]): ReadonlyMap<Variable, string> {
  // Inner graphs last: a variable keeps its own name rather than what stands for it inside.
  const variables = new Set([...ancestors(outputs), ...ancestors(outputs, { inside: true })]);
  const names = new Map<Variable, string>();
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  const numbered = (stem: string): string => {
    for (;;) {
      const number = counts.get(stem) ?? 0;
      counts.set(stem, number + 1);
      if (!taken.has(`${stem}_${number}`)) return `${stem}_${number}`;
    }
  };
  const name = (variable: Variable, chosen: string): void => {
    taken.add(chosen);
    names.set(variable, chosen);
  };
  // Those with a name of their own first: it is theirs, whatever is numbered before them in the graph.
  for (const variable of variables) {
    if (variable.name !== undefined && !taken.has(variable.name)) name(variable, variable.name);
  }
  for (const variable of variables) {
    if (names.has(variable)) continue;
    if (variable.name === undefined && isScalarConstant(variable)) names.set(variable, variable.toString());
    else name(variable, numbered(variable.name ?? variable.owner?.op.name ?? stemOf(variable)));
  }
  return names;
}

/** True for constants that print as their value. */
export function isScalarConstant(variable: Variable): boolean {
  return variable instanceof Constant && sizeOf(variable.value.shape) === 1;
}

function stemOf(variable: Variable): string {
  return variable instanceof Constant ? 'constant' : 'input';
}
