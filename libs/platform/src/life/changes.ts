import type { ExperimentProgress, LiveEvent, LogRow } from '@longrun/contracts';

import type { Change } from '../record/audit.js';
import type { LogEntry } from '../record/log-chunk.js';
import type { AttemptRow, CheckpointRow } from '../record/tables.js';

/** Live events that are stored as such; those of log rows are in the store of series. */
export type StoredEvent = Exclude<LiveEvent, { id: null } | { type: 'log_row' }>;

/** A log row of which it is not known whether the record has it: it may have been completed from the checkpoints' log. */
export interface DoubtfulRow {
  readonly fence: number;
  readonly step: number;
  readonly at: Date;
  readonly row: LogRow;
}

/** What one transaction changes of a life, apart from its own row: collected by `Life`, written by `Lives`. */
export class Changes {
  readonly events: StoredEvent[] = [];
  readonly entries: LogEntry[] = [];
  readonly doubtful: DoubtfulRow[] = [];
  /** Settings of hyperparameters that were applied. */
  readonly settings: { readonly number: number; readonly step: number }[] = [];
  readonly checkpoints: Omit<CheckpointRow, 'id'>[] = [];
  /** What somebody changed of it, for the audit. */
  readonly audited: Change[] = [];
  /** Attempts that begin: rows of earlier ones beyond the step are superseded. */
  readonly begun: { readonly fence: number; readonly step: number }[] = [];
  /** The newest progress, for those who follow now. */
  progress: { readonly at: string; readonly data: ExperimentProgress } | null = null;
  /** Attempts to save. */
  readonly attempts = new Set<AttemptRow>();
  /** Attempts that are over: no more rows are expected. */
  readonly ended = new Set<number>();
  /** It stands elsewhere than before: others may have to act. */
  moved = false;
  /** There is something to save. */
  touched = false;

  /** There is something to save: of the life, or of this attempt. */
  touch(attempt?: AttemptRow): void {
    this.touched = true;
    if (attempt !== undefined) this.attempts.add(attempt);
  }
}
