import {
  type AttemptView,
  type CheckpointView,
  type DatasetSummary,
  datasetsOf,
  type ExperimentSummary,
  type Phase,
} from '@longrun/contracts';

import { datasetResult, experimentResult } from '../life/outcome.js';
import { datasetStatus, experimentStatus } from '../life/transitions.js';
import { type KnownWorkers, missingEngine, threadLimit } from '../record/known-workers.js';
import type { AttemptRow, CheckpointRow, DatasetRow, ExperimentRow, LifeRow } from '../record/tables.js';

/** A dataset of an experiment, and where it stands. */
export interface DatasetInRole {
  readonly role: string;
  readonly id: string;
  readonly phase: Phase;
}

/** An experiment as a list shows it. Its datasets and the workers tell what it may be waiting for. */
export function experimentSummary(
  life: LifeRow,
  experiment: ExperimentRow,
  datasets: readonly DatasetInRole[],
  workers: KnownWorkers,
): ExperimentSummary {
  return {
    id: life.id,
    name: experiment.name,
    owner: life.owner,
    project: life.project,
    spec: experiment.spec,
    datasets: Object.fromEntries(datasets.map(({ role, id }) => [role, id])),
    programSha256: experiment.programSha256,
    status: experimentStatus(life.phase, life.reason),
    reason: life.reason,
    message: life.message ?? waitingFor(life, experiment, datasets, workers),
    cancelRequested: life.cancelRequested,
    pauseRequested: life.pauseRequested,
    failures: life.failures,
    preemptions: life.preemptions,
    losses: life.losses,
    progress: life.progress !== null && 'step' in life.progress ? life.progress : null,
    nonFinite: life.nonFinite,
    result: experimentResult(life.result),
    ...moments(life),
  };
}

/** A dataset as a list shows it. */
export function datasetSummary(life: LifeRow, dataset: DatasetRow): DatasetSummary {
  return {
    id: life.id,
    name: dataset.name,
    owner: life.owner,
    project: life.project,
    spec: dataset.spec,
    status: datasetStatus(life.phase, life.reason),
    reason: life.reason,
    message: life.message,
    cancelRequested: life.cancelRequested,
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

function waitingFor(
  life: LifeRow,
  { spec, programSha256 }: ExperimentRow,
  datasets: readonly DatasetInRole[],
  workers: KnownWorkers,
): string | null {
  if (life.phase !== 'queued') return null;
  if (programSha256 === null) return `Waits for the program ${spec.program}: publish it`;
  const names = datasetsOf(spec);
  const awaited = datasets.filter(({ phase }) => phase !== 'ended').map(({ role, id }) => names[role] ?? id);
  if (awaited.length > 0)
    return `Waits for ${awaited.length === 1 ? 'dataset' : 'datasets'} ${[...new Set(awaited)].join(', ')}`;
  if (workers.mostThreads === null) return 'Waits for a worker: none is known yet';
  if (!workers.alive) return 'Waits for a worker: none is alive';
  const missing = missingEngine(workers.livingEngines, spec.resources);
  if (missing !== undefined) {
    const { engine, provider, known } = missing;
    return `Waits for a worker with the engine ${engine}${provider === null ? '' : `/${provider}`}: those that are alive have ${known.join(', ')}`;
  }
  const limit = threadLimit(workers);
  return spec.resources.threads <= limit
    ? null
    : `Waits for a worker with ${spec.resources.threads} threads: none that is known has more than ${limit}`;
}

function moments(life: LifeRow): { createdAt: string; startedAt: string | null; endedAt: string | null } {
  return {
    createdAt: life.submittedAt.toISOString(),
    startedAt: life.startedAt?.toISOString() ?? null,
    endedAt: life.endedAt?.toISOString() ?? null,
  };
}
