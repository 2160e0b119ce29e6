import { type DataStream, DatasetStream, IndexableDataset, type IterationScheme } from '@longrun/fuel';
import { KeyedPermutation, ndarray, RandomKey } from '@longrun/serialization';

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

/** Batches in the order of a keyed permutation, each place of which is counted out when it is asked for. */
export class KeyedScheme implements IterationScheme {
  readonly requestsExamples = false;
  readonly requestsPerEpoch: number;
  readonly #examples: number;
  readonly #key = new RandomKey(1, 'order');

  constructor(examples: number) {
    this.#examples = examples;
    this.requestsPerEpoch = Math.ceil(examples / BATCH_SIZE);
  }

  request(epoch: number, position: number): Uint32Array | undefined {
    if (position >= this.requestsPerEpoch) return undefined;
    const permutation = new KeyedPermutation(this.#key, epoch, this.#examples);
    const start = position * BATCH_SIZE;
    const length = Math.min(BATCH_SIZE, this.#examples - start);
    return Uint32Array.from({ length }, (_, place) => permutation.at(start + place));
  }

  identity(): ReturnType<IterationScheme['identity']> {
    return { scheme: 'KeyedScheme', examples: this.#examples, batchSize: BATCH_SIZE };
  }
}

/** A stream over a dataset that is somewhere in its first epoch. */
export function streamAt(dataset: IndexableDataset, scheme: IterationScheme, position: number): DataStream {
  const stream = new DatasetStream(dataset, scheme);
  stream.restore({ ...stream.state(), position });
  return stream;
}
