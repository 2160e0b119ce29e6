import { rule } from '@longrun/contracts';
import { z } from 'zod';

import * as limits from './configuration/limits.js';
import { readSettings } from './configuration/read-settings.js';

/** How patient the platform is, in milliseconds. */
export const Timings = z
  .strictObject({
    /** How often workers say that they are alive. */
    heartbeatMs: within(limits.heartbeatMs),
    /** An attempt of which nothing was heard for so long is written off, and the experiment goes on elsewhere. */
    workerLostAfterMs: within(limits.workerLostAfterMs),
    /** Pause between two comparisons of the record with queue and object store. */
    reconcileEveryMs: z.int().min(10).default(1_000),
  })
  .refine(limits.sparesLateHeartbeat, {
    path: ['workerLostAfterMs'],
    ...rule(
      'that is not more than twice heartbeatMs, so that one late heartbeat would write a living worker off',
      'raise it, or lower heartbeatMs',
    ),
  });
export type Timings = z.infer<typeof Timings>;
/** Timings as they may be given: what is left out has its default. */
export type TimingsInput = z.input<typeof Timings>;

/** The timings with their defaults, checked. */
export function timings(input: TimingsInput = {}): Timings {
  return readSettings(Timings, input, 'the timings');
}

function within({ least, most, byDefault }: limits.Limits) {
  return z.int().min(least).max(most).default(byDefault);
}
