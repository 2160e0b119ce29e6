import { z } from 'zod';

import { Moment } from './ids.js';

/** How often hyperparameters of one experiment may be set. */
export const MAX_SETTINGS = 1_000;
/** Values in one setting. */
const MAX_VALUES = 100;

/** Values of hyperparameters by name, as the program's step rules name them: `adam.learning_rate`. */
export const Hyperparameters = z.record(z.string().min(1).max(200), z.number());
export type Hyperparameters = z.infer<typeof Hyperparameters>;

/** One change of hyperparameters of an experiment that trains. */
export const HyperparameterSetting = z.object({
  /** 1, 2, 3, …: the order in which they are applied. */
  number: z.int().min(1),
  values: Hyperparameters,
  /** Batches done when it was applied; whoever trains them again applies it there. Null: not applied yet, so before the next batch. */
  step: z.int().min(0).nullable(),
});
export type HyperparameterSetting = z.infer<typeof HyperparameterSetting>;

/** The same, as the API answers it. */
export const HyperparameterSettingView = HyperparameterSetting.extend({
  /** When somebody asked for it. */
  at: Moment,
});
export type HyperparameterSettingView = z.infer<typeof HyperparameterSettingView>;

/** What somebody asks to be set. */
export const HyperparameterChange = z.strictObject({
  /** New values, by full names (`adam.learning_rate`) or by their last part where only one has it (`learning_rate`, `learningRate`). */
  hyperparameters: Hyperparameters.refine((values) => Object.keys(values).length > 0, {
    error: 'nothing is to be set',
    params: { remedy: 'give at least one name and value' },
  }).refine((values) => Object.keys(values).length <= MAX_VALUES, {
    error: `more than ${MAX_VALUES} are to be set`,
    params: { remedy: `give at most ${MAX_VALUES} at once` },
  }),
});
export type HyperparameterChange = z.infer<typeof HyperparameterChange>;
