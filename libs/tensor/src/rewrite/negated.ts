import type { Variable } from '../graph/variable.js';
import { neg } from '../ops/neg.js';
import type { View } from './view.js';

/** `-x`; of `-y` it is y itself. */
export function negated(x: Variable, view: View): Variable {
  return view.operandsOf('neg', x)?.[0] ?? neg(x);
}
