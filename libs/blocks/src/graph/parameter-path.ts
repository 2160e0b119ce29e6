import type { SharedVariable } from '@longrun/tensor';

import { getBrick } from '../filter.js';

/** How a shared variable is called in checkpoints: its path where a brick has it, else its name. @throws Error when it has neither */
export function parameterPath(variable: SharedVariable): string {
  const brick = getBrick(variable);
  if (brick?.parameters.some((parameter) => parameter === variable) === true) return brick.hierarchicalName(variable);
  if (variable.name !== undefined) return variable.name;
  throw new Error('A shared variable has neither a brick nor a name; name it, so that it can be saved');
}
