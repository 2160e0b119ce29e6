import { z } from 'zod';

import { textLike } from './rule.js';

export const ExperimentId = textLike(
  /^exp_[0-9a-f]{32}$/,
  'that is not an experiment id',
  'give one such as exp_0193…: exp_ and 32 hexadecimal digits',
).meta({
  description:
    'Id of an experiment: `exp_` and 32 hexadecimal digits of a UUID v7, so that ids sort by the time of submission.',
});
export type ExperimentId = z.infer<typeof ExperimentId>;

export const DatasetId = textLike(
  /^ds_[0-9a-f]{32}$/,
  'that is not a dataset id',
  'give one such as ds_0193…: ds_ and 32 hexadecimal digits',
).meta({ description: 'Id of a dataset: `ds_` and 32 hexadecimal digits of a UUID v7.' });
export type DatasetId = z.infer<typeof DatasetId>;

export const Kind = z
  .enum(['experiment', 'dataset'])
  .meta({ description: 'The two things that live on the platform: what is trained and what is converted.' });
export type Kind = z.infer<typeof Kind>;

export const Sha256 = textLike(/^[0-9a-f]{64}$/, 'that is not a SHA-256', 'give 64 lower-case hexadecimal digits').meta(
  {
    description: 'SHA-256 as 64 lower-case hexadecimal digits.',
  },
);
export type Sha256 = z.infer<typeof Sha256>;

export const Fence = z
  .int()
  .min(1)
  .meta({
    description:
      'The number that fences a writer: one for each attempt, issued by the record, strictly increasing; 1 is the ' +
      'first.',
  });
export type Fence = z.infer<typeof Fence>;

export const Step = z.int().min(0).meta({ description: 'Batches done, in all attempts together.' });
export type Step = z.infer<typeof Step>;

export const SizeBytes = z.int().min(0).meta({ description: 'Its size, in bytes.' });
export type SizeBytes = z.infer<typeof SizeBytes>;

export const Moment = z.iso.datetime().meta({ description: 'A moment, ISO 8601 in UTC with a `Z`.' });
export type Moment = z.infer<typeof Moment>;
