import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { add } from './add.js';
import { log } from './log.js';
import { mul } from './mul.js';
import { neg } from './neg.js';
import { sub } from './sub.js';

/**
 * `-(targets * log(probabilities) + (1 - targets) * log(1 - probabilities))` elementwise, broadcasting: Theano's `binary_crossentropy`.
 * Of probabilities that are a `logistic` it is computed without overflow, and so is its gradient.
 */
export function binaryCrossEntropy(probabilities: Variable, targets: Variable): Variable {
  checkArguments('binaryCrossEntropy', ['probabilities', probabilities, 'variable'], ['targets', targets, 'variable']);
  const [present, absent] = [log(probabilities), log(sub(1, probabilities))];
  return neg(add(mul(targets, present), mul(sub(1, targets), absent)));
}
