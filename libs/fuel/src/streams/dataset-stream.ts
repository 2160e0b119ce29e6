import { checkIdentity, countIn, StateKind, type Json, type VersionedState } from '@longrun/serialization';
import type { Dataset } from '../datasets/dataset.js';
import type { IterationScheme } from '../schemes/iteration-scheme.js';
import { withoutBatchAxis } from './axis-labels.js';
import type { Batch, DataStream } from './data-stream.js';

/**
 * A dataset gone through by an iteration scheme (Fuel: `DataStream`).
 *
 * State: the epoch, the position in it, and the identities of the scheme and the dataset. Some hundred bytes, whatever the dataset.
 */
export class DatasetStream implements DataStream {
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly producesExamples: boolean;
  readonly batchesPerEpoch: number;
  readonly dataset: Dataset;
  readonly iterationScheme: IterationScheme;
  readonly #schemeIdentity: { readonly [key: string]: Json };
  readonly #datasetIdentity: { readonly [key: string]: Json };
  #epoch = 0;
  #position = 0;

  /** @throws TypeError for a dataset whose examples cannot be asked for: it has an example stream of its own */
  constructor(dataset: Dataset, iterationScheme: IterationScheme) {
    if (!dataset.isIndexable) {
      throw new TypeError(
        `DatasetStream: the examples of ${dataset.constructor.name} come one after the other, and no iteration scheme can ask for ` +
          'them; take its exampleStream()',
      );
    }
    this.dataset = dataset;
    this.iterationScheme = iterationScheme;
    this.sources = dataset.sources;
    this.producesExamples = iterationScheme.requestsExamples;
    this.batchesPerEpoch = iterationScheme.requestsPerEpoch;
    this.#schemeIdentity = iterationScheme.identity();
    this.#datasetIdentity = dataset.identity();
    this.axisLabels = this.producesExamples ? withoutBatchAxis(dataset.axisLabels) : dataset.axisLabels;
  }

  /** A stream with the default transformers of the dataset around it (Fuel: `DataStream.default_stream`). */
  static defaultStream(dataset: Dataset, iterationScheme: IterationScheme): DataStream {
    return dataset.applyDefaultTransformers(new DatasetStream(dataset, iterationScheme));
  }

  async next(): Promise<Batch | undefined> {
    const request = this.iterationScheme.request(this.#epoch, this.#position);
    if (request === undefined) return undefined;
    const batch = await this.dataset.getData(request);
    // After the read: a read that failed delivered nothing, and may be tried again.
    this.#position += 1;
    return batch;
  }

  async nextEpoch(): Promise<void> {
    this.#epoch += 1;
    this.#position = 0;
  }

  async close(): Promise<void> {
    await this.dataset.close();
  }

  state(): VersionedState {
    return {
      ...DATASET_STREAM.head,
      epoch: this.#epoch,
      position: this.#position,
      scheme: this.#schemeIdentity,
      dataset: this.#datasetIdentity,
    };
  }

  /** @throws StateMismatch for the state of a stream over another dataset, or with another scheme, naming both */
  restore(state: VersionedState): void {
    const { name } = DATASET_STREAM;
    const read = DATASET_STREAM.read(state);
    const epoch = countIn(name, read, 'epoch');
    const position = countIn(name, read, 'position');
    const remedy = 'build it with the same examples, batch size and seed as when it was saved';
    checkIdentity(name, read, 'scheme', this.#schemeIdentity, remedy);
    checkIdentity(name, read, 'dataset', this.#datasetIdentity, 'build it over the same dataset as when it was saved');
    this.#epoch = epoch;
    this.#position = position;
  }
}

const DATASET_STREAM = new StateKind('DatasetStream', {
  version: 2,
  // The first version did not say which dataset it was.
  migrations: [{ from: 1, migrate: (state) => ({ ...state, version: 2, dataset: null }) }],
});
