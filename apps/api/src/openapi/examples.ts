import {
  type AttemptView,
  DatasetDryRun,
  DatasetSpec,
  DatasetView,
  DrainRequest,
  ExperimentChange,
  ExperimentComparison,
  ExperimentDryRun,
  ExperimentSpec,
  ExperimentView,
  type FaultOf,
  HyperparameterChange,
  jsonPointer,
  LiveEvent,
  LogPage,
  Metric,
  MetricSeries,
  OutputList,
  Problem,
  problemKinds,
  problemType,
  ProgramView,
  StoredCheckpointSummary,
  WorkerView,
  wordsOf,
} from '@longrun/contracts';
import type { z } from 'zod';

/** What a schema takes, as people write it. */
export interface Example {
  readonly schema: z.ZodType;
  readonly values: readonly unknown[];
}

const EXPERIMENT_ID = 'exp_0193f2a14c5d7e6f8a9b0c1d2e3f4a5b';
const OTHER_EXPERIMENT_ID = 'exp_0193f3b25d6e7f708192a3b4c5d6e7f8';
const DATASET_ID = 'ds_0193f29e8b7a7c6d9e0f1a2b3c4d5e6f';
const WORKER_ID = 'gpu-1-4211';
const ENVIRONMENT = { engine: 'onnxruntime', provider: 'cpu', threads: 2 };
const LIBRARIES = { '@longrun/blocks': '0.1.0', '@longrun/fuel': '0.1.0', '@longrun/tensor': '0.1.0' };
const LAST_ROW = { train_cost: 0.0521, test_cost: 0.3144, test_misclassification_rate: 0.0987 };

const spec: z.input<typeof ExperimentSpec> = {
  name: 'mlp, wide',
  program: 'mlp',
  params: { dims: [784, 500, 500, 10], activations: ['rectifier', 'rectifier', 'softmax'], epochs: 3 },
  dataset: 'fashion-mnist',
  seed: 7,
  checkpoint: { everyBatches: 200, keepBest: { record: 'test_cost' } },
  tags: ['baseline'],
};

const datasetSpec: z.input<typeof DatasetSpec> = { name: 'fashion-mnist', converter: 'fashion-mnist' };

const result = { parametersSha256: sha256('5c'), lastRow: LAST_ROW };

const attempt: z.input<typeof AttemptView> = {
  fence: 1,
  status: 'ended',
  workerId: WORKER_ID,
  enqueuedAt: '2026-03-02T09:15:01.120Z',
  startedAt: '2026-03-02T09:15:02.480Z',
  endedAt: '2026-03-02T09:19:40.905Z',
  reason: 'succeeded',
  message: null,
  startStep: 0,
  lastStep: 1407,
  stepsRun: 1407,
  peakMemoryBytes: 734_003_200,
  engine: 'onnxruntime',
  environment: ENVIRONMENT,
  libraries: LIBRARIES,
  restoredFrom: null,
  rejectedCheckpoints: [],
  hyperparameters: { 'adam.learning_rate': 0.002 },
};

const planned = {
  name: 'mlp, wide',
  spec,
  from: null,
  datasets: { train: DATASET_ID },
  programSha256: sha256('a1'),
};

const metric: z.input<typeof Metric> = {
  name: 'test_cost',
  count: 3,
  nonFinite: 0,
  last: 0.3144,
  lastStep: 1407,
  min: { value: 0.3102, step: 938 },
  max: { value: 0.4026, step: 469 },
};

/** Of a submission with `"seed": -1`. */
const fault: FaultOf<'invalid-request'> = {
  path: ['seed'],
  code: 'out-of-range',
  facts: { value: '-1', measure: 'number', size: null, relation: 'at least', bound: 0, says: null },
};

/** Examples of the bodies that people write, and of what is answered most. */
export const examples: readonly Example[] = [
  example(ExperimentSpec, { program: 'mlp', dataset: 'fashion-mnist' }, spec, {
    program: 'mlp',
    dataset: 'fashion-mnist',
    from: { experiment: OTHER_EXPERIMENT_ID },
    params: { epochs: 10 },
  }),
  example(ExperimentChange, { notes: 'The run for the paper.', addTags: ['paper'], priority: 10 }),
  example(HyperparameterChange, { hyperparameters: { 'adam.learning_rate': 0.0005 } }),
  example(DatasetSpec, datasetSpec, { ...datasetSpec, source: { folder: 'fashion-mnist' } }),
  example(DrainRequest, { reason: 'new driver' }),
  example(ExperimentDryRun, planned),
  example(ExperimentView, {
    ...planned,
    id: EXPERIMENT_ID,
    owner: 'default',
    project: 'default',
    reproduces: null,
    status: 'succeeded',
    reason: 'succeeded',
    message: null,
    cancelRequested: false,
    pauseRequested: false,
    failures: 0,
    preemptions: 0,
    losses: 0,
    progress: { step: 1407, epoch: 3, stepsPerEpoch: 469, totalSteps: 1407, stepsPerSecond: 5.1 },
    nonFinite: null,
    result,
    attempts: [attempt],
    checkpoints: [{ step: 1407, fence: 1, sizeBytes: 16_090_112, at: '2026-03-02T09:19:39.512Z' }],
    settings: [],
    createdAt: '2026-03-02T09:15:01.098Z',
    startedAt: '2026-03-02T09:15:02.480Z',
    endedAt: '2026-03-02T09:19:40.905Z',
  }),
  example(ExperimentComparison, {
    a: { id: EXPERIMENT_ID, name: 'mlp, wide', status: 'succeeded', parametersSha256: sha256('5c') },
    b: { id: OTHER_EXPERIMENT_ID, name: 'mlp, wide', status: 'succeeded', parametersSha256: sha256('5c') },
    verdict: 'identical',
    differences: { rows: 1407, log: null, parameters: [], outputs: [] },
    environment: [],
  }),
  example(
    LiveEvent,
    {
      type: 'log_row',
      id: 12,
      at: '2026-03-02T09:16:31.004Z',
      data: { fence: 1, step: 469, row: { train_cost: 0.48 } },
    },
    {
      type: 'checkpoint',
      id: 13,
      at: '2026-03-02T09:16:33.250Z',
      data: { fence: 1, step: 469, sizeBytes: 16_090_112 },
    },
    { type: 'caught-up', id: null, at: '2026-03-02T09:16:34.000Z', data: {} },
  ),
  example(LogPage, { items: [{ step: 1407, row: LAST_ROW }], nextAfter: null }),
  example(Metric, metric),
  example(MetricSeries, {
    experiment: EXPERIMENT_ID,
    name: 'test_cost',
    count: 3,
    nonFinite: 0,
    steps: [469, 938, 1407],
    values: [0.4026, 0.3102, 0.3144],
  }),
  example(StoredCheckpointSummary, {
    name: '1407-1',
    step: 1407,
    fence: 1,
    damage: null,
    createdAt: '2026-03-02T09:19:39.512Z',
    sizeBytes: 16_090_112,
    files: [{ name: 'parameters.safetensors', sha256: sha256('5c'), sizeBytes: 5_360_304 }],
    logRows: 1407,
    holds: [{ name: 'pin', until: null }],
  }),
  example(OutputList, {
    checkpoint: '1407-1',
    step: 1407,
    items: [{ name: 'epochs.csv', sha256: sha256('e7'), sizeBytes: 182 }],
  }),
  example(DatasetDryRun, { name: 'fashion-mnist', spec: datasetSpec, existing: DATASET_ID, action: 'answer' }),
  example(DatasetView, {
    id: DATASET_ID,
    name: 'fashion-mnist',
    owner: 'default',
    project: 'default',
    spec: datasetSpec,
    status: 'ready',
    reason: 'succeeded',
    message: null,
    cancelRequested: false,
    current: true,
    predecessor: null,
    progress: { phase: 'publishing', what: 'fashion-mnist.hdf5', done: 54_950_048, total: 54_950_048, unit: 'bytes' },
    result: {
      fileKey: `datasets/files/${DATASET_ID}/${sha256('d4')}.hdf5`,
      sha256: sha256('d4'),
      sizeBytes: 54_950_048,
      description: {
        sources: [
          {
            name: 'features',
            dtype: 'uint8',
            shape: [70_000, 1, 28, 28],
            axisLabels: ['batch', 'channel', 'height', 'width'],
          },
          { name: 'targets', dtype: 'uint8', shape: [70_000, 1], axisLabels: ['batch', 'index'] },
        ],
        splits: { train: 60_000, test: 10_000 },
      },
      identity: {
        converter: 'fashion-mnist',
        converterVersion: 1,
        inputs: [{ name: 'train-images-idx3-ubyte.gz', sizeBytes: 26_421_880, sha256: sha256('3a') }],
      },
    },
    attempts: [],
    createdAt: '2026-03-02T09:12:00.000Z',
    startedAt: '2026-03-02T09:12:00.700Z',
    endedAt: '2026-03-02T09:12:21.300Z',
  }),
  example(WorkerView, {
    id: WORKER_ID,
    kind: 'experiment',
    host: 'gpu-1',
    version: '0.1.0',
    labels: {},
    slots: 1,
    threads: 16,
    memoryBytes: 137_438_953_472,
    devices: [{ type: 'cpu', name: 'AMD EPYC 9354', memoryBytes: null }],
    engines: { onnxruntime: ['cpu', 'cuda'], reference: ['cpu'] },
    status: 'ready',
    statusReason: null,
    attempts: [{ id: EXPERIMENT_ID, fence: 1 }],
    alive: true,
    firstSeenAt: '2026-03-02T08:00:00.000Z',
    lastSeenAt: '2026-03-02T09:15:02.480Z',
  }),
  example(ProgramView, {
    name: 'mlp',
    sha256: sha256('a1'),
    sizeBytes: 4096,
    description: 'A multi-layer perceptron that classifies the examples of a dataset such as MNIST or Fashion-MNIST.',
    params: {
      type: 'object',
      properties: {
        epochs: { default: 3, description: 'Passes through the training set.', type: 'integer', minimum: 1 },
      },
      additionalProperties: false,
    },
    libraries: LIBRARIES,
    publishedAt: '2026-03-02T08:30:00.000Z',
  }),
  example(Problem, {
    type: problemType('invalid-request'),
    title: problemKinds['invalid-request'].title,
    status: problemKinds['invalid-request'].status,
    detail: wordsOf(fault, 'the body').detail,
    instance: 'urn:uuid:0193f2a1-4c5d-4e6f-8a9b-0c1d2e3f4a5b',
    errors: [{ pointer: jsonPointer(fault.path), code: fault.code, facts: fault.facts, ...wordsOf(fault, 'the body') }],
  }),
];

function example<S extends z.ZodType>(schema: S, ...values: readonly z.input<S>[]): Example {
  return { schema, values };
}

/** 64 digits that begin with two. */
function sha256(digits: string): string {
  return digits.repeat(32);
}
