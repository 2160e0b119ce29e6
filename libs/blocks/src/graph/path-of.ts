import { SharedVariable, type Variable } from '@longrun/tensor';

import { blocksName } from './annotations.js';
import { getApplicationCall, getBrick } from './provenance.js';

/**
 * Where a variable comes from: `/mlp/linear_0.W` of a parameter or a state, as it is saved, `/mlp/linear_0.apply.output` of what a call takes or gives;
 * undefined where no brick made it.
 */
export function pathOf(variable: Variable): string | undefined {
  const brick = getBrick(variable);
  if (brick === undefined) return undefined;
  if (variable instanceof SharedVariable) {
    return variable.name === undefined ? undefined : `${brick.uniquePath}.${variable.name}`;
  }
  const name = blocksName(variable) ?? variable.name;
  const call = getApplicationCall(variable);
  return [brick.uniquePath, call?.application.name, name].filter((part) => part !== undefined).join('.');
}
