import { ndarray } from '@longrun/serialization';
import { IndexableDataset, type Batch, type DataStream, type DatasetOptions } from '../src/index.js';

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
export async function drain(stream: DataStream): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) batches.push(batch);
  return batches;
}

/** Elements of a source over some batches, one list a batch. */
export function elements(batches: readonly Batch[], source: string): number[][] {
  return batches.map((batch) => Array.from(batch.arrays.get(source)?.data ?? [], Number));
}
