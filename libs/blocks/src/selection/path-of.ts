import type { Variable } from '@longrun/tensor';

import { blocksName } from '../graph/annotations.js';
import { getApplicationCall, getBrick } from '../graph/provenance.js';

/**
 * Where a variable comes from: `/mlp/linear_0.W` of a parameter or a state, `/mlp/linear_0.apply.output` of what a call takes or gives;
 * undefined where no brick made it.
 */
export function pathOf(variable: Variable): string | undefined {
  const brick = getBrick(variable);
  if (brick === undefined) return undefined;
  const name = blocksName(variable) ?? variable.name;
  const call = getApplicationCall(variable);
  return [brick.uniquePath, call?.application.name, name].filter((part) => part !== undefined).join('.');
}
