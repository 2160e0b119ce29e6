import { ExperimentProgress, Moment } from '@longrun/contracts';
import { z } from 'zod';

/** What is said on `longrun_live` when an experiment has new events or is further on. */
export const LiveNotice = z.object({
  id: z.string(),
  /** Id of its last event. */
  last: z.int().min(0),
  /** The newest progress of the transaction, if there is one. */
  progress: z.object({ at: Moment, data: ExperimentProgress }).nullable(),
});
export type LiveNotice = z.infer<typeof LiveNotice>;
