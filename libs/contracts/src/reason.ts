import { z } from 'zod';

export const ReasonCode = z
  .enum([
    'succeeded',
    'preempted',
    'worker_lost',
    'cancelled',
    'program_error',
    'invalid_params',
    'out_of_memory',
    'program_unavailable',
    'dataset_unavailable',
    'dataset_corrupt',
    'dataset_changed',
    'secret_unavailable',
    'checkpoint_unreadable',
    'lease_lost',
    'storage_error',
    'internal_error',
    'trainer_killed',
    'worker_unfit',
    'worker_disk',
    'stalled',
    'timed_out',
    'diverged',
    'checkpoints_damaged',
    'paused',
  ])
  .meta({ description: 'Why an attempt, an experiment or a dataset ended: a closed list.' });
export type ReasonCode = z.infer<typeof ReasonCode>;

/** What follows from an attempt that ended for one reason. */
export interface RetryRule {
  /**
   * The budget it is charged to. Preemptions are not failures: they have their own count, unlimited by default. A loss is a preemption
   * without a word; those in a row without progress between them, a checkpoint of a later step, have a budget besides. What is charged to
   * the worker costs the experiment nothing, and the worker its jobs, until it is fit again.
   */
  readonly counts: 'failure' | 'preemption' | 'loss' | 'worker' | 'nothing';
  /** How far it is charged to the worker, for which `counts` stands; beyond that to the failures, as it may not be the worker's fault. */
  readonly workers?: {
    /** Such ends in a row, without progress between them. */
    readonly inARow: number;
    /** Whether only where another worker is ready to take the next attempt. */
    readonly onlyElsewhere: boolean;
  };
  /** Whether another attempt follows while the budget lasts. */
  readonly requeue: boolean;
  /** The sentence shown to a person. */
  readonly explain: string;
}

/** The retry policy: one rule for each reason. */
export const retryPolicy: Readonly<Record<ReasonCode, RetryRule>> = {
  succeeded: { counts: 'nothing', requeue: false, explain: 'It ran to its end.' },
  preempted: {
    counts: 'preemption',
    requeue: true,
    explain: 'The worker was told to give the machine back; it goes on from the last checkpoint elsewhere.',
  },
  worker_lost: {
    counts: 'loss',
    requeue: true,
    explain:
      'The worker has gone: its process ended, or nothing was heard of it any more; it goes on from the last checkpoint elsewhere.',
  },
  cancelled: { counts: 'nothing', requeue: false, explain: 'It was cancelled on request.' },
  program_error: { counts: 'failure', requeue: true, explain: 'The program threw an error; its message says which.' },
  invalid_params: {
    counts: 'failure',
    requeue: false,
    explain: 'The program refused its parameters; correct them and submit it again.',
  },
  out_of_memory: {
    counts: 'failure',
    requeue: true,
    explain: 'The trainer ran out of memory; ask for a smaller batch or model.',
  },
  program_unavailable: {
    counts: 'failure',
    requeue: false,
    explain: 'The module of its program is gone or damaged; publish it again, then submit the experiment.',
  },
  dataset_unavailable: {
    counts: 'failure',
    requeue: false,
    explain: 'The dataset it needs failed or is gone; submit the dataset again, then the experiment.',
  },
  dataset_corrupt: {
    counts: 'failure',
    requeue: false,
    explain: 'The raw files are damaged or not what the converter reads; replace them and submit the dataset again.',
  },
  dataset_changed: {
    counts: 'failure',
    requeue: true,
    explain: 'The raw files were changed while they were converted; it is tried again from what is there then.',
  },
  secret_unavailable: {
    counts: 'failure',
    requeue: false,
    explain: 'Its worker has not a secret that it names; put it there, then retry the experiment.',
  },
  checkpoint_unreadable: {
    counts: 'failure',
    requeue: true,
    explain: 'The checkpoint passed its checksums but the program could not go on from it.',
  },
  lease_lost: {
    counts: 'preemption',
    requeue: true,
    explain: 'Another worker holds the lease; this one stopped without committing anything more.',
  },
  storage_error: { counts: 'failure', requeue: true, explain: 'The object store or the local disk refused to serve.' },
  internal_error: { counts: 'failure', requeue: true, explain: 'A bug in the platform; its stack is in the message.' },
  trainer_killed: {
    counts: 'loss',
    requeue: true,
    explain: 'Somebody killed its process from outside; it goes on from the last checkpoint.',
  },
  worker_unfit: {
    counts: 'worker',
    workers: { inARow: 3, onlyElsewhere: false },
    requeue: true,
    explain:
      'The disk, the engine or the device of its worker does not serve; it goes on from the last checkpoint elsewhere.',
  },
  worker_disk: {
    counts: 'worker',
    workers: { inARow: 1, onlyElsewhere: true },
    requeue: true,
    explain:
      'A disk that its worker writes to was full or failed, or its worker sees another object store; it goes on from the last checkpoint, elsewhere where another worker is ready.',
  },
  stalled: {
    counts: 'failure',
    requeue: true,
    explain: 'It made no progress for long; the log says where it stood.',
  },
  timed_out: {
    counts: 'failure',
    requeue: false,
    explain: 'It ran for as long as limits.wallTimeSeconds allows; its last checkpoint is kept.',
  },
  diverged: {
    counts: 'failure',
    requeue: false,
    explain: 'Its cost was not a finite number, and onNonFinite is stop; its last checkpoint is kept.',
  },
  checkpoints_damaged: {
    counts: 'failure',
    requeue: false,
    explain:
      'None of its checkpoints is whole, or what names them is damaged; they are kept, and it begins anew only if checkpoint.onAllDamaged says so.',
  },
  paused: {
    counts: 'nothing',
    requeue: true,
    explain: 'It was paused on request; it goes on from its last checkpoint when it is resumed.',
  },
};

/**
 * True when no budget could bring another attempt. A worker that ends for such a reason writes it as the outcome of
 * the lease's head, where it holds even if every event about it is lost.
 */
export function isFinalReason(reason: ReasonCode): boolean {
  return !retryPolicy[reason].requeue;
}
