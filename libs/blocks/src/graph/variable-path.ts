import type { SharedVariable } from '@longrun/tensor';

import { getBrick } from './provenance.js';

/** How a shared variable is called: `/mlp/linear_0.W` where it belongs to a brick, else its own name; undefined when it has none. */
export function variablePath(variable: SharedVariable): string | undefined {
  const brick = getBrick(variable);
  if (brick === undefined || variable.name === undefined) return variable.name;
  return `${brick.uniquePath}.${variable.name}`;
}
