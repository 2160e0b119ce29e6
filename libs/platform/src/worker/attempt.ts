import type {
  DatasetOutcome,
  ExperimentOutcome,
  HyperparameterSetting,
  JobTicket,
  ReasonCode,
  WorkerEvent,
} from '@longrun/contracts';
import type { Lease, ObjectStore } from '@longrun/serialization';
import type { Pressure } from './pressure.js';

/** Why an attempt is asked to end in good order. */
export type StopCause = 'shutdown' | 'cancelled' | 'preempted' | 'paused';

/** Why an attempt must end at once, dropping what it has not committed. */
export type AbandonCause = 'lease_lost' | 'grace_over';

/** One claimed job: what its work needs of the worker around it. */
export interface Attempt {
  readonly ticket: JobTicket;
  /** `experiments/<id>` or `datasets/<id>`: where all objects of this job lie. */
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly lease: Lease;
  readonly workerId: string;
  /** A folder of this attempt alone, deleted after it. */
  readonly scratchFolder: string;
  /** Aborted when it is asked to end in good order, within the worker's grace. */
  readonly stop: AbortSignal;
  /** Aborted when it must kill what it runs, commit nothing more, and return. */
  readonly abandon: AbortSignal;
  /** It is asked to end, in good order or at once. */
  readonly mustLeave: boolean;
  /** Whether what it sends comes faster than the record takes it: then it should wait, where it can, until that is over. */
  readonly pressure: Pressure;
  /** Why `stop` is aborted, if it is. */
  stopCause(): StopCause | undefined;
  /** Why `abandon` is aborted, if it is. */
  abandonCause(): AbandonCause | undefined;
  /** Calls `listener` with hyperparameters that are to be set, with those of before at once; the same come again until the record hears that they were. */
  onSettings(listener: (settings: readonly HyperparameterSetting[]) => void): void;
  /** The end of an attempt that left because it must. */
  endOfStop(): AttemptEnd;
  /** What the record resolved for it, `<prefix>/spec.json`, parsed as JSON. */
  readSpec(): Promise<unknown>;
  /** Sends an event to the record; never waits and never throws. */
  send(event: WorkerEvent): void;
  /** Says something in this process's own log. */
  report(sentence: string): void;
}

/** How an attempt ended. */
export interface AttemptEnd {
  readonly reason: ReasonCode;
  /** A sentence for the user; not needed where the reason says all. */
  readonly message?: string;
}

/** What is done with a claimed job. One object for each attempt. */
export interface Work {
  /**
   * Does the work and resolves with how it ended, after all its processes have gone. What it throws ends the
   * attempt: as `worker_disk` where a disk was full or failed, and for a `ForeignStore`; any other `StorageFailed` as `storage_error`, a
   * `LeaseLost` as `lease_lost`, any other error as `internal_error`.
   */
  run(): Promise<AttemptEnd>;
  /** The event that says it is alive. */
  heartbeat(): WorkerEvent;
  /** The outcome for the head of the lease, where `end` is final and `run` has not written it itself. */
  outcome(end: AttemptEnd): ExperimentOutcome | DatasetOutcome;
  /** The last event of the attempt. */
  endEvent(end: AttemptEnd): WorkerEvent;
}
