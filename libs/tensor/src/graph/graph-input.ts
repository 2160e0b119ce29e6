import { Constant } from './constant.js';
import { SharedVariable } from './shared-variable.js';
import type { Variable } from './variable.js';

/** Whether whoever runs the graph gives its value: it is not computed, and neither a constant nor a shared variable. */
export function isGraphInput(variable: Variable): boolean {
  return variable.owner === null && !(variable instanceof Constant) && !(variable instanceof SharedVariable);
}
