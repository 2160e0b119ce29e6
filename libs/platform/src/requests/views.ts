import {
  type AttemptView,
  type CheckpointView,
  DatasetSpec,
  type DatasetSummary,
  type ExperimentSummary,
  type ExperimentView,
  type HyperparameterSettingView,
  type Resources,
} from '@longrun/contracts';

import { datasetResult, experimentResult } from '../life/outcome.js';
import { datasetStatus, experimentStatus } from '../life/transitions.js';
import { type KnownWorkers, missingEngine, threadLimit } from '../record/known-workers.js';
import type {
  AttemptRow,
  CheckpointRow,
  DatasetRow,
  ExperimentRow,
  HyperparameterSettingRow,
  LifeRow,
} from '../record/tables.js';
import type { DatasetInRole } from './datasets-in-roles.js';

/** What lists read of an experiment besides its life. */
export interface ListedExperiment {
  readonly name: string;
  readonly program: string;
  readonly programSha256: string | null;
  readonly resources: Resources;
  readonly datasets: readonly DatasetInRole[];
  /** Last values of the metrics that were asked for, where it has logged them. */
  readonly metrics: ExperimentSummary['metrics'];
}

/**
 * An experiment as a list shows it. Its datasets and the workers tell what it may be waiting for.
 *
 * @param metrics names of the metrics that were asked for
 */
export function experimentSummary(
  row: LifeRow & ListedExperiment,
  workers: KnownWorkers,
  metrics: readonly string[],
): ExperimentSummary {
  return {
    ...standing(row, row, workers),
    program: row.program,
    datasets: Object.fromEntries(row.datasets.map(({ role, id, name }) => [role, { id, name }])),
    metrics: Object.fromEntries(metrics.map((name) => [name, row.metrics[name] ?? null])),
  };
}

/** An experiment, of whose attempts, checkpoints and settings nothing is known yet. */
export function experimentView(
  life: LifeRow,
  experiment: Pick<ExperimentRow, 'name' | 'spec' | 'program' | 'programSha256' | 'origin' | 'reproduces'>,
  datasets: readonly DatasetInRole[],
  workers: KnownWorkers,
): Omit<ExperimentView, 'attempts' | 'checkpoints' | 'settings'> {
  const { name, spec, program, programSha256, origin, reproduces } = experiment;
  return {
    ...standing(life, { name, program, programSha256, resources: spec.resources, datasets }, workers),
    spec,
    from: origin,
    reproduces,
    datasets: idsByRole(datasets),
    result: experimentResult(life.result),
  };
}

/** The ids of datasets, each under its role. */
export function idsByRole(datasets: readonly DatasetInRole[]): ExperimentView['datasets'] {
  return Object.fromEntries(datasets.map(({ role, id }) => [role, id]));
}

/** What an experiment may wait for. */
type Waiting = Pick<ListedExperiment, 'program' | 'programSha256' | 'resources' | 'datasets'>;

/** What is said of an experiment wherever it is shown. */
function standing(life: LifeRow, experiment: Waiting & Pick<ListedExperiment, 'name'>, workers: KnownWorkers) {
  return {
    id: life.id,
    name: experiment.name,
    owner: life.owner,
    project: life.project,
    programSha256: experiment.programSha256,
    status: experimentStatus(life.phase, life.reason),
    reason: life.reason,
    message: life.message ?? waitingFor(life, experiment, workers),
    cancelRequested: life.cancelRequested,
    pauseRequested: life.pauseRequested,
    failures: life.failures,
    preemptions: life.preemptions,
    losses: life.losses,
    progress: life.progress !== null && 'step' in life.progress ? life.progress : null,
    nonFinite: life.nonFinite,
    ...moments(life),
  };
}

/** What is read of a dataset besides its life. */
export interface ListedDataset extends Pick<DatasetRow, 'name' | 'spec' | 'current' | 'predecessor'> {
  /** Whether its file and that of its predecessor are the same bytes; null where one has none. */
  readonly sameContent: boolean | null;
}

/** A dataset as a list shows it. */
export function datasetSummary(life: LifeRow, dataset: ListedDataset): DatasetSummary {
  const { predecessor, sameContent } = dataset;
  return {
    id: life.id,
    name: dataset.name,
    owner: life.owner,
    project: life.project,
    // One of before has the defaults of now.
    spec: DatasetSpec.parse(dataset.spec),
    status: datasetStatus(life.phase, life.reason),
    reason: life.reason,
    message: life.message,
    cancelRequested: life.cancelRequested,
    progress: life.progress !== null && 'phase' in life.progress ? life.progress : null,
    current: dataset.current,
    predecessor: predecessor === null ? null : { id: predecessor, sameContent },
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
    libraries: attempt.libraries,
    restoredFrom: attempt.restoredFrom,
    rejectedCheckpoints: [...(attempt.rejectedCheckpoints ?? [])],
    hyperparameters: attempt.hyperparameters,
  };
}

export function checkpointView(checkpoint: CheckpointRow): CheckpointView {
  const { step, fence, sizeBytes, at } = checkpoint;
  return { step, fence, sizeBytes, at: at.toISOString() };
}

/** A setting of hyperparameters as the API answers it. */
export function settingView({
  number,
  hyperparameters,
  at,
  step,
}: HyperparameterSettingRow): HyperparameterSettingView {
  return { number, values: hyperparameters, at: at.toISOString(), step };
}

function waitingFor(
  life: LifeRow,
  { program, programSha256, resources, datasets }: Waiting,
  workers: KnownWorkers,
): string | null {
  if (life.phase !== 'queued') return null;
  if (programSha256 === null) return `Waits for the program ${program}: publish it`;
  const awaited = [...new Set(datasets.filter(({ phase }) => phase !== 'ended').map(({ name }) => name))];
  if (awaited.length > 0) return `Waits for ${awaited.length === 1 ? 'dataset' : 'datasets'} ${awaited.join(', ')}`;
  if (life.reopening) return 'Waits until its checkpoints are ready';
  if (workers.mostThreads === null) return 'Waits for a worker: none is known yet';
  if (!workers.alive) return 'Waits for a worker: none is alive';
  const missing = missingEngine(workers.livingEngines, resources);
  if (missing !== undefined) {
    const { engine, provider, known } = missing;
    return `Waits for a worker with the engine ${engine}${provider === null ? '' : `/${provider}`}: those that are alive have ${known.join(', ')}`;
  }
  const limit = threadLimit(workers);
  return resources.threads <= limit
    ? null
    : `Waits for a worker with ${resources.threads} threads: none that is known has more than ${limit}`;
}

function moments(life: LifeRow): { createdAt: string; startedAt: string | null; endedAt: string | null } {
  return {
    createdAt: life.submittedAt.toISOString(),
    startedAt: life.startedAt?.toISOString() ?? null,
    endedAt: life.endedAt?.toISOString() ?? null,
  };
}
