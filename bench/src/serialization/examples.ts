import {
  type DataStream,
  DatasetStream,
  IndexableDataset,
  type IterationScheme,
  KeyedShuffledScheme,
} from '@longrun/fuel';
import { ndarray, RandomKey } from '@longrun/serialization';

export const BATCH_SIZE = 128;
/** Elements of an example. */
const WIDTH = 16;

/** Examples of a few bytes each, in memory. */
export function datasetOf(examples: number): IndexableDataset {
  return new IndexableDataset({
    features: ndarray('uint8', [examples, WIDTH]),
    targets: ndarray('uint8', [examples, 1]),
  });
}

/** Batches in an order of which each place is counted out when it is asked for. */
export function keyedScheme(examples: number): IterationScheme {
  return new KeyedShuffledScheme(examples, BATCH_SIZE, { key: new RandomKey(1, 'order') });
}

/** A stream over a dataset that is somewhere in its first epoch. */
export function streamAt(dataset: IndexableDataset, scheme: IterationScheme, position: number): DataStream {
  const stream = new DatasetStream(dataset, scheme);
  stream.restore({ ...stream.state(), position });
  return stream;
}
