import { z } from 'zod';

import { Moment, Step } from './ids.js';

/** How often hyperparameters of one experiment may be set. */
export const MAX_SETTINGS = 1_000;
/** Values in one setting. */
const MAX_VALUES = 100;

export const Hyperparameters = z.record(z.string().min(1).max(200), z.number()).meta({
  description: "Values of hyperparameters by name, as the program's step rules name them: `adam.learning_rate`.",
});
export type Hyperparameters = z.infer<typeof Hyperparameters>;

export const HyperparameterSetting = z
  .object({
    number: z.int().min(1).meta({ description: '1, 2, 3, …: the order in which they are applied.' }),
    values: Hyperparameters.meta({ description: 'The new values, by full names.' }),
    step: Step.nullable().meta({
      description:
        'Batches done when it was applied; whoever trains them again applies it there. Null: not applied yet, so before ' +
        'the next batch.',
    }),
  })
  .meta({ description: 'One change of hyperparameters of an experiment that trains.' });
export type HyperparameterSetting = z.infer<typeof HyperparameterSetting>;

export const HyperparameterSettingView = HyperparameterSetting.extend({
  at: Moment.meta({ description: 'When somebody asked for it.' }),
}).meta({ description: 'One change of hyperparameters of an experiment that trains, and when it was asked for.' });
export type HyperparameterSettingView = z.infer<typeof HyperparameterSettingView>;

export const HyperparameterChange = z
  .strictObject({
    hyperparameters: Hyperparameters.refine((values) => Object.keys(values).length > 0, {
      error: 'nothing is to be set',
      params: { remedy: 'give at least one name and value' },
    })
      .refine((values) => Object.keys(values).length <= MAX_VALUES, {
        error: `more than ${MAX_VALUES} are to be set`,
        params: { remedy: `give at most ${MAX_VALUES} at once` },
      })
      .meta({
        description:
          'New values, by full names (`adam.learning_rate`) or by their last part where only one has it (`learning_rate`, ' +
          '`learningRate`).',
      }),
  })
  .meta({ description: 'What somebody asks to be set.' });
export type HyperparameterChange = z.infer<typeof HyperparameterChange>;
