import { DatasetView, ExperimentSpec, ExperimentSummary, type ExperimentView } from '@longrun/contracts';

/** When all of it was. */
export const AT = '2026-01-01T00:00:00.000Z';

/** An experiment that runs. */
export const experiment: ExperimentView = {
  id: `exp_${'a'.repeat(32)}`,
  name: 'slow',
  spec: ExperimentSpec.parse({ program: 'mlp', dataset: 'tiny', params: {} }),
  datasets: { train: `ds_${'b'.repeat(32)}` },
  programSha256: 'c'.repeat(64),
  from: null,
  reproduces: null,
  owner: 'default',
  project: 'default',
  status: 'running',
  reason: null,
  message: null,
  cancelRequested: false,
  pauseRequested: false,
  failures: 0,
  preemptions: 0,
  losses: 0,
  progress: null,
  nonFinite: null,
  result: null,
  attempts: [],
  checkpoints: [],
  settings: [],
  createdAt: AT,
  startedAt: AT,
  endedAt: null,
};

/** The same in a list. */
export const summary: ExperimentSummary = ExperimentSummary.parse({
  ...experiment,
  program: 'mlp',
  datasets: { train: { id: `ds_${'b'.repeat(32)}`, name: 'tiny' } },
  metrics: {},
});

/** A dataset that is converted. */
export const dataset: DatasetView = DatasetView.parse({
  id: `ds_${'b'.repeat(32)}`,
  name: 'slow',
  spec: { name: 'slow', converter: 'mnist', source: { folder: 'slow' } },
  owner: 'default',
  project: 'default',
  status: 'converting',
  reason: null,
  message: null,
  cancelRequested: false,
  current: true,
  predecessor: null,
  progress: null,
  result: null,
  attempts: [],
  createdAt: AT,
  startedAt: AT,
  endedAt: null,
});
