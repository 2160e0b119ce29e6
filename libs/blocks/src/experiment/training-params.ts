import { z } from 'zod';

import { Adam } from '../algorithms/step-rules/adam.js';
import { Scale } from '../algorithms/step-rules/scale.js';
import type { StepRule } from '../algorithms/step-rules/step-rule.js';

/** How many there are of something, at least 1: `Count.default(500)`. */
export const Count = z.int('give a whole number').min(1, 'give at least 1');

/** How the step rules that params name are made. */
const STEP_RULES = {
  adam: (learningRate) => new Adam({ learningRate }),
  scale: (learningRate) => new Scale({ learningRate }),
} satisfies Readonly<Record<string, (learningRate: number) => StepRule>>;

/**
 * Params that nearly every program takes, to be spread into the schema of its own; a key that follows has another default:
 * `z.strictObject({ ...TRAINING_PARAMS, hidden: z.int().default(500) })`.
 */
export const TRAINING_PARAMS = {
  batchSize: z
    .int('give a whole number of examples')
    .min(1, 'a batch has at least 1 example')
    .default(128)
    .meta({ description: 'Examples in a batch.' }),
  epochs: z
    .int('give a whole number of epochs')
    .min(1, 'train for at least 1 epoch')
    .default(3)
    .meta({ description: 'Passes through the training set.' }),
  learningRate: z
    .number()
    .positive('give a number above 0')
    .default(0.002)
    .meta({ description: 'How large the steps of the optimizer are.' }),
  optimizer: z
    .enum(['adam', 'scale'])
    .default('adam')
    .meta({ description: 'The step rule; `scale` is plain gradient descent.' }),
};

/** The step rule that params name. */
export function stepRuleOf({
  optimizer,
  learningRate,
}: {
  readonly optimizer: keyof typeof STEP_RULES;
  readonly learningRate: number;
}): StepRule {
  return STEP_RULES[optimizer](learningRate);
}
