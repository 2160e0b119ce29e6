import { ndarray, type NdArray } from '@longrun/serialization';
import {
  denseIn,
  IndexableDataset,
  type Batch,
  type DataStream,
  type DatasetOptions,
  type Delivery,
} from '../src/index.js';

/** `features` (count, 2, 3) uint8 that count up, and `targets` (count, 1) int32 with the number of the example. */
export function toyDataset(count: number, options: Pick<DatasetOptions, 'defaultTransformers'> = {}): IndexableDataset {
  return new IndexableDataset(
    {
      features: ndarray(
        'uint8',
        [count, 2, 3],
        Uint8Array.from({ length: count * 6 }, (_, i) => i),
      ),
      targets: ndarray(
        'int32',
        [count, 1],
        Int32Array.from({ length: count }, (_, i) => i),
      ),
    },
    {
      ...options,
      axisLabels: new Map([
        ['features', ['batch', 'height', 'width']],
        ['targets', ['batch', 'index']],
      ]),
    },
  );
}

/** What is left of the epoch. */
export async function drain(stream: DataStream): Promise<Delivery[]> {
  const batches: Delivery[] = [];
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) batches.push(batch);
  return batches;
}

/** The array of a source of a batch that there is. */
export function dense(batch: Batch | undefined, source: string): NdArray {
  if (batch === undefined) throw new Error(`there is no batch with ${source}`);
  return denseIn(batch.columns, source);
}

/** Elements of a source over some batches, one list a batch. */
export function elements(batches: readonly Batch[], source: string): number[][] {
  return batches.map((batch) => Array.from(dense(batch, source).data, Number));
}
