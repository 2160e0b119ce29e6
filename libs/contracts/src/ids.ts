import { z } from 'zod';

import { textLike } from './rule.js';

/** `exp_` and 32 hexadecimal digits of a UUID v7: ids sort by the time of submission. */
export const ExperimentId = textLike(
  /^exp_[0-9a-f]{32}$/,
  'that is not an experiment id',
  'give one such as exp_0193…: exp_ and 32 hexadecimal digits',
);
export type ExperimentId = z.infer<typeof ExperimentId>;

/** `ds_` and 32 hexadecimal digits of a UUID v7. */
export const DatasetId = textLike(
  /^ds_[0-9a-f]{32}$/,
  'that is not a dataset id',
  'give one such as ds_0193…: ds_ and 32 hexadecimal digits',
);
export type DatasetId = z.infer<typeof DatasetId>;

/** The two things that live on the platform: what is trained and what is converted. */
export const Kind = z.enum(['experiment', 'dataset']);
export type Kind = z.infer<typeof Kind>;

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const Sha256 = textLike(/^[0-9a-f]{64}$/, 'that is not a SHA-256', 'give 64 lower-case hexadecimal digits');
export type Sha256 = z.infer<typeof Sha256>;

/** The number that fences a writer: one for each attempt, issued by the record, strictly increasing; 1 is the first. */
export const Fence = z.int().min(1);
export type Fence = z.infer<typeof Fence>;

/** A moment, ISO 8601 in UTC with a `Z`. */
export const Moment = z.iso.datetime();
export type Moment = z.infer<typeof Moment>;
