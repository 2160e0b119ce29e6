import { z } from 'zod';

import { Fence, Moment, SizeBytes, Step } from './ids.js';
import { LibraryChange } from './library-versions.js';
import { LogRow } from './log-row.js';
import { ExperimentResult } from './outcome.js';
import { ReasonCode } from './reason.js';
import { ExperimentStatus } from './status.js';
import { ExperimentProgress, OutputStream, RejectedCheckpoint } from './worker-event.js';

const OriginFence = z.int().min(0).meta({
  description: 'Fence of its attempt; 0 of what comes from the experiment whose checkpoint this one began from.',
});
const stored = {
  id: z.int().min(1).meta({ description: 'Its number among the events of the experiment; grows.' }),
  at: Moment.meta({ description: 'When it happened.' }),
};

/** The header of an event stream that says after how many milliseconds of silence the server sends a comment. */
export const EVENT_HEARTBEAT_HEADER = 'longrun-heartbeat-ms';

export const LiveEvent = z
  .discriminatedUnion('type', [
    z.object({
      type: z.literal('status').meta({ description: 'The experiment has another status.' }),
      ...stored,
      data: z
        .object({
          status: ExperimentStatus,
          reason: ReasonCode.nullable().meta({ description: 'Why it ended; null while it is active.' }),
          message: z
            .string()
            .nullable()
            .meta({ description: 'What to know about the status; null where there is nothing.' }),
          result: ExperimentResult.nullable().meta({ description: 'What it has left; null until it has succeeded.' }),
        })
        .meta({ description: 'Where it stands now.' }),
    }),
    z.object({
      type: z.literal('attempt_started').meta({
        description:
          'A worker has begun an attempt. Log rows beyond `startStep` that were sent before are void: they come again.',
      }),
      ...stored,
      data: z
        .object({
          fence: Fence.meta({ description: 'Fence of the attempt.' }),
          workerId: z.string().meta({ description: 'The worker that has it.' }),
          startStep: Step.meta({ description: 'Batches that the checkpoint had done; 0 without one.' }),
          engine: z.string().meta({ description: 'The engine that computes.' }),
          restoredFrom: z.string().nullable().meta({
            description:
              'Key in the object store of the manifest of the checkpoint that it goes on from; null without one.',
          }),
          environmentChanged: z
            .array(z.string())
            .meta({ description: "Names of entries of the numeric environment that differ from the checkpoint's." }),
          librariesChanged: z
            .array(LibraryChange)
            .default([])
            .meta({ description: 'Libraries that are others than those of the checkpoint that it goes on from.' }),
          rejectedCheckpoints: z
            .array(RejectedCheckpoint)
            .meta({ description: 'Checkpoints that it found damaged and passed over.' }),
        })
        .meta({ description: 'The attempt as it begins.' }),
    }),
    z.object({
      type: z.literal('attempt_ended').meta({ description: 'An attempt has ended.' }),
      ...stored,
      data: z
        .object({
          fence: Fence.meta({ description: 'Fence of the attempt.' }),
          reason: ReasonCode.meta({ description: 'Why it ended.' }),
          message: z
            .string()
            .nullable()
            .meta({ description: 'What is known about its end besides the reason; null where there is nothing.' }),
          step: Step.nullable().meta({
            description: 'Batches done, in all attempts together; null where that is not known.',
          }),
          stepsRun: z
            .int()
            .min(0)
            .nullable()
            .meta({ description: 'Batches that this attempt ran; null where that is not known.' }),
          peakMemoryBytes: z
            .int()
            .min(0)
            .nullable()
            .meta({ description: 'Largest resident set of its trainer, in bytes; null where that is not known.' }),
        })
        .meta({ description: 'The attempt at its end.' }),
    }),
    z.object({
      type: z.literal('log_row').meta({ description: 'A row was logged.' }),
      ...stored,
      data: z
        .object({
          fence: OriginFence,
          step: Step,
          row: LogRow.meta({
            description:
              'Values by record name, such as `train_cost`; NaN and the infinities as the texts `NaN`, `Infinity` and `-Infinity`.',
          }),
        })
        .meta({ description: 'The row.' }),
    }),
    z.object({
      type: z.literal('line').meta({ description: 'The trainer has printed a line.' }),
      ...stored,
      data: z
        .object({
          fence: OriginFence,
          stream: OutputStream,
          text: z.string().meta({ description: 'The line, without its end.' }),
        })
        .meta({ description: 'The line.' }),
    }),
    z.object({
      type: z.literal('checkpoint').meta({ description: 'A checkpoint was committed.' }),
      ...stored,
      data: z
        .object({
          fence: Fence.meta({ description: 'Fence of the attempt that committed it.' }),
          step: Step,
          sizeBytes: SizeBytes,
        })
        .meta({ description: 'The checkpoint.' }),
    }),
    z.object({
      type: z.literal('progress').meta({ description: 'Training has gone on.' }),
      id: z.null().meta({ description: 'None: it is not stored and not sent again.' }),
      at: Moment.meta({ description: 'When it was so.' }),
      data: ExperimentProgress.meta({ description: 'How far training is.' }),
    }),
    z.object({
      type: z.literal('caught-up').meta({
        description:
          'All that had happened when the follower came has been sent; from here on it is told what happens. Sent once.',
      }),
      id: z.null().meta({ description: 'None: it is not stored and not sent again.' }),
      at: Moment.meta({ description: 'When that was.' }),
      data: z.object({}).meta({ description: 'Nothing.' }),
    }),
  ])
  .meta({
    description:
      'What a follower of one experiment is sent (server-sent events: `id`, `event: <type>`, `data: <the whole ' +
      'event>`). `id` grows per experiment: give the last one seen to go on without a gap or a repetition. `progress` ' +
      'and `caught-up` have no id, are not stored and not sent again.',
  });
export type LiveEvent = z.infer<typeof LiveEvent>;
