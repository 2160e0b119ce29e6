import type { DatasetResult, WorkerEvent } from '@longrun/contracts';
import { z } from 'zod';
import { EventSource } from './event-source.js';
import { type ServiceOptions, Took } from './service-protocol.js';
import { ServiceProcess } from './service-process.js';

/** How many experiments log at once. */
const EXPERIMENTS = 20;
/** Log rows in one measurement; one more before all to warm up. */
const ROWS_PER_WINDOW = 20_000;
const WINDOWS = 6;

/**
 * Log rows that a platform takes in from a stream that is full of them: rows of five records, of twenty experiments in turn. The stream is filled
 * while the platform is down, so that filling is not measured.
 */
export async function ingestion(options: ServiceOptions): Promise<Took[]> {
  const source = new EventSource(options.redisUrl);
  let service = new ServiceProcess(options);
  const datasetId = z.string().parse(await service.tell({ do: 'dataset' }));
  await source.send('dataset', datasetId, [
    { type: 'dataset_started', workerId: 'preproc' },
    { type: 'dataset_ended', reason: 'succeeded', result: converted, peakMemoryBytes: 1 },
  ]);
  const submitted = z
    .object({ ids: z.array(z.string()) })
    .parse(await service.tell({ do: 'submit', count: EXPERIMENTS, clients: 4 }));
  await service.tell({ do: 'enqueued', ids: submitted.ids });
  await service.close();

  for (const id of submitted.ids) await source.send('experiment', id, [started]);
  const total = ROWS_PER_WINDOW * (WINDOWS + 1);
  for (let step = 1; step <= total / EXPERIMENTS; step += 100) {
    for (const id of submitted.ids) await source.send('experiment', id, rowsFrom(step, step + 100));
  }
  service = new ServiceProcess(options);
  const took = await service.tell({ do: 'ingest', skip: ROWS_PER_WINDOW, size: ROWS_PER_WINDOW, windows: WINDOWS - 1 });
  await service.close();
  source.close();
  return z.array(Took).parse(took);
}

function rowsFrom(from: number, to: number): WorkerEvent[] {
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

const started: WorkerEvent = {
  type: 'attempt_started',
  workerId: 'gpu-1',
  startStep: 0,
  engine: 'onnxruntime',
  environment: { threads: 1 },
  rejectedCheckpoints: [],
};

const converted: DatasetResult = {
  fileKey: 'datasets/files/none.hdf5',
  sha256: '0'.repeat(64),
  sizeBytes: 1,
  description: {
    sources: [{ name: 'features', dtype: 'uint8', shape: [10, 4], axisLabels: null }],
    splits: { train: 8, test: 2 },
    attributes: {},
  },
};
