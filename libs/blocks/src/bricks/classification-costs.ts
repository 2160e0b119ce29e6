import { mean, type Variable } from '@longrun/tensor';

import { MisclassificationRate } from './misclassification-rate.js';
import { Softmax } from './softmax.js';

/** What a classifier is trained by, and watched by. Scalars, over the batch. */
export interface ClassificationCosts {
  /** Mean cross entropy, called `cost` in the log: what is minimized. */
  readonly cost: Variable;
  /** Share of wrong predictions, from 0 to 1, called `misclassification_rate` in the log. */
  readonly misclassificationRate: Variable;
}

/**
 * The costs of a classifier.
 *
 * @param labels the classes: integers `(batch)`
 * @param logits `(batch, classes)`, what softmax would make probabilities of (PyTorch: the input of `CrossEntropyLoss`)
 */
export function classificationCosts(labels: Variable, logits: Variable): ClassificationCosts {
  const cost = mean(new Softmax().categoricalCrossEntropy(labels, logits));
  cost.name = 'cost';
  const misclassificationRate = new MisclassificationRate().apply(labels, logits);
  misclassificationRate.name = 'misclassification_rate';
  return { cost, misclassificationRate };
}
