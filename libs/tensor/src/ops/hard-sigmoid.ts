import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { clip } from './clip.js';
import { mul } from './mul.js';

/** `0.2 * x + 0.5`, but at least 0 and at most 1: Theano's `hard_sigmoid`. */
export function hardSigmoid(x: Variable): Variable {
  checkArguments('hardSigmoid', ['x', x, 'variable']);
  return clip(mul(add(x, 2.5), 0.2), 0, 1);
}
