import type { DatasetResult, WorkerEvent } from '@longrun/contracts';

/** Rows of the log, of five records each, of the steps from `from` to before `to`. */
export function rowsFrom(from: number, to: number): WorkerEvent[] {
  return Array.from({ length: to - from }, (_, index) => {
    const step = from + index;
    const cost = Math.exp(-step / 1000) + Math.sin(step) / 50;
    const row = {
      train_cost: cost,
      train_gradient_norm: cost / 3,
      train_misclassification_rate: cost / 7,
      iterations_done: step,
      time_train_this_batch: 0.0123 + cost / 1000,
    };
    return { type: 'log_row', step, row };
  });
}

/** An attempt begins at step 0. */
export const started: WorkerEvent = {
  type: 'attempt_started',
  workerId: 'gpu-1',
  startStep: 0,
  engine: 'onnxruntime',
  environment: { threads: 1 },
  rejectedCheckpoints: [],
};

/** A conversion begins and succeeds. */
export function conversion(): readonly WorkerEvent[] {
  return [
    { type: 'dataset_started', workerId: 'preproc' },
    { type: 'dataset_ended', reason: 'succeeded', result: converted, peakMemoryBytes: 1 },
  ];
}

const converted: DatasetResult = {
  fileKey: 'datasets/files/none.hdf5',
  sha256: '0'.repeat(64),
  sizeBytes: 1,
  description: {
    sources: [{ name: 'features', dtype: 'uint8', shape: [10, 4], ragged: false, axisLabels: null }],
    splits: { train: 8, test: 2 },
    attributes: {},
  },
  identity: null,
  sameAs: null,
};
