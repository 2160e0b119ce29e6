import { z } from 'zod';

import { Fence, Moment } from './ids.js';
import { LibraryChange } from './library-versions.js';
import { LogRow } from './log-row.js';
import { ExperimentResult } from './outcome.js';
import { ReasonCode } from './reason.js';
import { ExperimentStatus } from './status.js';
import { ExperimentProgress, OutputStream, RejectedCheckpoint } from './worker-event.js';

const Step = z.int().min(0);
/** Of the attempt that it is of; 0 of what an experiment has from the one whose checkpoint it began from. */
const OriginFence = z.int().min(0);
const stored = { id: z.int().min(1), at: Moment };

/** The header of an event stream that says after how many milliseconds of silence the server sends a comment. */
export const EVENT_HEARTBEAT_HEADER = 'longrun-heartbeat-ms';

/**
 * What a follower of one experiment is sent (server-sent events: `id`, `event: <type>`, `data: <the whole event>`).
 *
 * `id` grows per experiment: give the last one seen to go on without a gap or a repetition. `progress` and `caught-up`
 * have no id, are not stored and not sent again.
 */
export const LiveEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('status'),
    ...stored,
    data: z.object({
      status: ExperimentStatus,
      reason: ReasonCode.nullable(),
      message: z.string().nullable(),
      result: ExperimentResult.nullable(),
    }),
  }),
  /** Log rows beyond `startStep` that were sent before are void: they come again. */
  z.object({
    type: z.literal('attempt_started'),
    ...stored,
    data: z.object({
      fence: Fence,
      workerId: z.string(),
      startStep: Step,
      engine: z.string(),
      restoredFrom: z.string().nullable(),
      environmentChanged: z.array(z.string()),
      /** Libraries that are others than those of the checkpoint that it goes on from. */
      librariesChanged: z.array(LibraryChange).default([]),
      rejectedCheckpoints: z.array(RejectedCheckpoint),
    }),
  }),
  z.object({
    type: z.literal('attempt_ended'),
    ...stored,
    data: z.object({
      fence: Fence,
      reason: ReasonCode,
      message: z.string().nullable(),
      step: Step.nullable(),
      stepsRun: z.int().min(0).nullable(),
      peakMemoryBytes: z.int().min(0).nullable(),
    }),
  }),
  z.object({ type: z.literal('log_row'), ...stored, data: z.object({ fence: OriginFence, step: Step, row: LogRow }) }),
  z.object({
    type: z.literal('line'),
    ...stored,
    data: z.object({ fence: OriginFence, stream: OutputStream, text: z.string() }),
  }),
  z.object({
    type: z.literal('checkpoint'),
    ...stored,
    data: z.object({ fence: Fence, step: Step, sizeBytes: z.int().min(0) }),
  }),
  z.object({ type: z.literal('progress'), id: z.null(), at: Moment, data: ExperimentProgress }),
  /** All that had happened when the follower came has been sent; from here on it is told what happens. Sent once. */
  z.object({ type: z.literal('caught-up'), id: z.null(), at: Moment, data: z.object({}) }),
]);
export type LiveEvent = z.infer<typeof LiveEvent>;
