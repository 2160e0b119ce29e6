import type {
  DatasetResult,
  ExperimentResult,
  Hyperparameters,
  Json,
  LibraryChange,
  LibraryVersions,
  ReasonCode,
  RejectedCheckpoint,
} from '@longrun/contracts';

import type { AttemptRow } from '../record/tables.js';

/** What a worker says of an attempt that begins. */
export interface AttemptBegin {
  readonly workerId: string;
  readonly startStep: number;
  readonly engine: string;
  readonly environment: Json;
  readonly libraries: LibraryVersions | null;
  readonly restoredFrom: string | null;
  readonly environmentChanged: string[];
  readonly librariesChanged: LibraryChange[];
  readonly rejectedCheckpoints: RejectedCheckpoint[];
  readonly hyperparameters: Hyperparameters | null;
}

/** What is known of an attempt at its end. */
export interface ClosedAttempt {
  readonly reason: ReasonCode;
  readonly message?: string | undefined;
  readonly result?: ExperimentResult | DatasetResult | undefined;
  readonly step?: number | undefined;
  readonly stepsRun?: number | undefined;
  readonly peakMemoryBytes?: number | undefined;
}

/** An attempt whose job is about to be put in the queue. */
export function newAttempt(id: string, fence: number, at: Date): AttemptRow {
  return {
    id,
    fence,
    status: 'enqueued',
    workerId: null,
    enqueuedAt: at,
    startedAt: null,
    endedAt: null,
    reason: null,
    message: null,
    startStep: null,
    lastStep: null,
    stepsRun: null,
    peakMemoryBytes: null,
    engine: null,
    environment: null,
    libraries: null,
    restoredFrom: null,
    rejectedCheckpoints: null,
    hyperparameters: null,
    lastSeq: 0,
    lastHeardAt: null,
    saidEnd: false,
    smallChunks: 0,
    preemptRequested: false,
  };
}
