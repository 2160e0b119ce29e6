import { Constant } from '../graph/constant.js';
import type { Variable } from '../graph/variable.js';
import { isScalar } from './pattern.js';
import type { View } from './view.js';

/** Whether a variable is made of zeros that are not negative. */
export function isZeros(variable: Variable, view: View): boolean {
  if (variable instanceof Constant)
    return isScalar(variable, 0) || variable.value.data.every((one) => Object.is(Number(one), 0));
  const [, value] = view.operandsOf('fill', variable) ?? [];
  if (value !== undefined) return isZeros(value, view);
  const [spread] = view.operandsOf('broadcastTo', variable) ?? [];
  return spread !== undefined && isZeros(spread, view);
}
