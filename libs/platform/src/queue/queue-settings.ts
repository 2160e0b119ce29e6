import { rule } from '@longrun/contracts';
import { z } from 'zod';

import { readSettings } from '../configuration/read-settings.js';

/**
 * How BullMQ is used. Its lock is a hint that keeps two workers from being handed one job; what keeps them from both
 * running it is the lease in the object store.
 */
export const QueueSettings = z
  .strictObject({
    /** A job whose lock was not renewed for so long is handed to another worker. Several renewals may be missed. */
    lockDurationMs: z.int().min(100).default(10_000),
    /** Pause between two renewals of the lock. BullMQ does not check that it is shorter than the lock. */
    lockRenewMs: z.int().min(20).default(2_000),
    /** Pause between two looks for jobs whose lock has run out. */
    stalledCheckMs: z.int().min(50).default(3_000),
    /**
     * How often a job may lose its worker before BullMQ fails it. It counts over the job's whole life and nothing
     * resets it; the budget that counts is the record's, so that this one must never be reached.
     */
    maxStalledCount: z.int().min(1_000_000).default(1_000_000_000),
    /** Pause before BullMQ asks a Redis again that failed it. Its default, 15 s, is a long time to stand still. */
    retryDelayMs: z.int().min(10).default(1_000),
    /**
     * Jobs that wait in the queue at most, for each set of engines that a worker has; the others wait in the record, which can still reorder
     * them.
     */
    window: z.int().min(1).max(1_000).default(64),
  })
  .refine((settings) => settings.lockRenewMs < settings.lockDurationMs / 2, {
    path: ['lockRenewMs'],
    ...rule(
      'that is not less than half of lockDurationMs, so that one late renewal would lose the lock',
      'lower it, or raise lockDurationMs',
    ),
  })
  .refine((settings) => settings.stalledCheckMs <= settings.lockDurationMs, {
    path: ['stalledCheckMs'],
    ...rule(
      'that is longer than lockDurationMs, so that a lost job would wait longer for the look than for the lock',
      'lower it, or raise lockDurationMs',
    ),
  });
export type QueueSettings = z.infer<typeof QueueSettings>;
/** Settings as they may be given: what is left out has its default. */
export type QueueSettingsInput = z.input<typeof QueueSettings>;

/** The settings with their defaults, checked. Throws a sentence for each relation that does not hold. */
export function queueSettings(input: QueueSettingsInput = {}): QueueSettings {
  return readSettings(QueueSettings, input, 'the queue settings');
}
