import type { DatasetResult, WorkerEvent } from '@longrun/contracts';
import { z } from 'zod';
import { EventSource } from './event-source.js';
import type { Servers } from './servers.js';
import { Took } from './service-protocol.js';
import { ServiceProcess } from './service-process.js';

/** How many experiments log at once. */
const experiments = 20;
/** Log rows in one measurement; one more before all to warm up. */
const rowsPerWindow = 20_000;
const windows = 6;

/**
 * Log rows that a platform takes in from a stream that is full of them: rows of five records, of twenty experiments in turn. The stream is filled
 * while the platform is down, so that filling is not measured.
 */
export async function ingestion(servers: Servers): Promise<Took[]> {
  const source = new EventSource(servers.redisUrl);
  let service = new ServiceProcess(servers);
  const datasetId = z.string().parse(await service.tell({ do: 'dataset' }));
  await source.send('dataset', datasetId, [
    { type: 'dataset_started', workerId: 'preproc' },
    { type: 'dataset_ended', reason: 'succeeded', result: converted, peakMemoryBytes: 1 },
  ]);
  const ids = z.array(z.string()).parse(await service.tell({ do: 'submit', count: experiments }));
  await service.tell({ do: 'enqueued', ids });
  await service.close();

  for (const id of ids) await source.send('experiment', id, [started]);
  const total = rowsPerWindow * (windows + 1);
  for (let step = 1; step <= total / experiments; step += 100) {
    for (const id of ids) await source.send('experiment', id, rowsFrom(step, step + 100));
  }
  service = new ServiceProcess(servers);
  const took = await service.tell({ do: 'ingest', skip: rowsPerWindow, size: rowsPerWindow, windows: windows - 1 });
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
