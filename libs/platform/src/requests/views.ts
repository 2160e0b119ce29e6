import type { AttemptView, CheckpointView, DatasetSummary, ExperimentSummary, Phase } from '@longrun/contracts';

import { datasetResult, experimentResult } from '../life/outcome.js';
import { datasetStatus, experimentStatus } from '../life/transitions.js';
import type { AttemptRow, CheckpointRow, DatasetRow, ExperimentRow, LifeRow } from '../record/tables.js';

/** An experiment as a list shows it. `datasetPhase` tells what it may be waiting for. */
export function experimentSummary(life: LifeRow, experiment: ExperimentRow, datasetPhase: Phase): ExperimentSummary {
  return {
    id: life.id,
    name: experiment.name,
    spec: experiment.spec,
    datasetId: experiment.datasetId,
    status: experimentStatus(life.phase, life.reason),
    reason: life.reason,
    message: life.message ?? waitingFor(life, experiment, datasetPhase),
    cancelRequested: life.cancelRequested,
    failures: life.failures,
    preemptions: life.preemptions,
    progress: life.progress !== null && 'step' in life.progress ? life.progress : null,
    result: experimentResult(life.result),
    ...moments(life),
  };
}

/** A dataset as a list shows it. */
export function datasetSummary(life: LifeRow, dataset: DatasetRow): DatasetSummary {
  return {
    id: life.id,
    name: dataset.name,
    spec: dataset.spec,
    status: datasetStatus(life.phase, life.reason),
    reason: life.reason,
    message: life.message,
    progress: life.progress !== null && 'phase' in life.progress ? life.progress : null,
    result: datasetResult(life.result),
    ...moments(life),
  };
}

export function attemptView(attempt: AttemptRow): AttemptView {
  return {
    fence: attempt.fence,
    status: attempt.status,
    workerId: attempt.workerId,
    enqueuedAt: attempt.enqueuedAt.toISOString(),
    startedAt: attempt.startedAt?.toISOString() ?? null,
    endedAt: attempt.endedAt?.toISOString() ?? null,
    reason: attempt.reason,
    message: attempt.message,
    startStep: attempt.startStep,
    lastStep: attempt.lastStep,
    stepsRun: attempt.stepsRun,
    peakMemoryBytes: attempt.peakMemoryBytes,
    engine: attempt.engine,
    environment: attempt.environment,
    restoredFrom: attempt.restoredFrom,
    rejectedCheckpoints: [...(attempt.rejectedCheckpoints ?? [])],
  };
}

export function checkpointView(checkpoint: CheckpointRow): CheckpointView {
  const { step, fence, sizeBytes, at } = checkpoint;
  return { step, fence, sizeBytes, at: at.toISOString() };
}

function waitingFor(life: LifeRow, experiment: ExperimentRow, datasetPhase: Phase): string | null {
  if (life.phase !== 'queued' || datasetPhase === 'ended') return null;
  return `Waits for dataset ${experiment.spec.dataset}`;
}

function moments(life: LifeRow): { createdAt: string; startedAt: string | null; endedAt: string | null } {
  return {
    createdAt: life.submittedAt.toISOString(),
    startedAt: life.startedAt?.toISOString() ?? null,
    endedAt: life.endedAt?.toISOString() ?? null,
  };
}
