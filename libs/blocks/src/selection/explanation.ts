import type { Variable } from '@longrun/tensor';

import { pathOf } from '../graph/path-of.js';
import { partsOf, type Criterion } from './criterion.js';

/** Whether a variable meets what is asked of it, and which part of that it does not: one line for each. */
export function explanation(variable: Variable, criterion: Criterion): string {
  const lines = partsOf(criterion).map((part) => {
    const objection = part.objection(variable);
    return objection === undefined ? `  yes  ${part.text}` : `  no   ${part.text}: ${objection}`;
  });
  const isSelected = criterion.objection(variable) === undefined;
  return [`${shown(variable)} is ${isSelected ? '' : 'not '}selected:`, ...lines].join('\n');
}

/** How many of the candidates each part of what is asked has left, one line each. */
export function funnel(candidates: readonly Variable[], criterion: Criterion): string {
  let left = candidates;
  const lines = [`  ${left.length} in the graph`];
  for (const part of partsOf(criterion)) {
    left = left.filter((variable) => part.objection(variable) === undefined);
    lines.push(`  ${left.length} left: ${part.text}`);
  }
  return lines.join('\n');
}

/** Their paths, or what they are where no brick made them. */
export function namesOf(variables: readonly Variable[]): string {
  return variables.map(shown).join(', ');
}

function shown(variable: Variable): string {
  return pathOf(variable) ?? variable.toString();
}
