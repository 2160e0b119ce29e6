import { checkArguments } from '../graph/arguments.js';
import type { Variable } from '../graph/variable.js';
import { log } from './log.js';
import { logSoftmax } from './log-softmax.js';
import { neg } from './neg.js';
import { pick } from './pick.js';

/** `-log(probabilities[i, labels[i]])` per row: Theano's `categorical_crossentropy` with integer labels. */
export function categoricalCrossEntropy(probabilities: Variable, labels: Variable): Variable {
  checkArguments(
    'categoricalCrossEntropy',
    ['probabilities', probabilities, 'variable'],
    ['labels', labels, 'variable'],
  );
  return neg(log(pick(probabilities, labels)));
}

/** {@link categoricalCrossEntropy} of `softmax(logits)`, computed without overflow. */
export function softmaxCrossEntropy(logits: Variable, labels: Variable): Variable {
  checkArguments('softmaxCrossEntropy', ['logits', logits, 'variable'], ['labels', labels, 'variable']);
  return neg(pick(logSoftmax(logits), labels));
}
