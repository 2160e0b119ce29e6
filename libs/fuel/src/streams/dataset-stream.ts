import { checkIdentity, countIn, StateKind, type Json, type VersionedState } from '@longrun/serialization';
import type { IterationScheme } from '../schemes/iteration-scheme.js';
import { shownScheme } from '../schemes/shown-scheme.js';
import { withoutBatchAxis } from './axis-labels.js';
import { BufferRing } from './buffer-ring.js';
import { DataStream } from './data-stream.js';
import { Delivery, type Bookmark } from './delivery.js';
import type { StreamedDataset } from './streamed-dataset.js';

/**
 * A dataset gone through by an iteration scheme (Fuel: `DataStream`).
 *
 * State: the epoch, the position in it, and the identities of the scheme and the dataset. Some hundred bytes, whatever the dataset.
 */
export class DatasetStream<D extends StreamedDataset = StreamedDataset> extends DataStream {
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly producesExamples: boolean;
  readonly batchesPerEpoch: number;
  readonly dataset: D;
  readonly iterationScheme: IterationScheme;
  readonly #schemeIdentity: { readonly [key: string]: Json };
  readonly #datasetIdentity: { readonly [key: string]: Json };
  readonly #ring = new BufferRing();
  #epoch = 0;
  #position = 0;

  /** @throws TypeError for a dataset whose examples cannot be asked for: it has an example stream of its own */
  constructor(dataset: D, iterationScheme: IterationScheme) {
    super();
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
    dataset.retain();
  }

  /** A stream with the default transformers of the dataset around it (Fuel: `DataStream.default_stream`). */
  static defaultStream(dataset: StreamedDataset, iterationScheme: IterationScheme): DataStream {
    return dataset.applyDefaultTransformers(new DatasetStream(dataset, iterationScheme));
  }

  stages(): readonly string[] {
    return [shownScheme(this.iterationScheme), String(this.dataset)];
  }

  protected async advance(): Promise<Delivery | undefined> {
    const [epoch, index] = [this.#epoch, this.#position];
    const request = this.iterationScheme.request(epoch, index, this);
    if (request === undefined) return undefined;
    const loan = this.#ring.lend();
    const { columns } = await this.dataset.getData(request, loan.memory);
    this.#position += 1;
    return new Delivery(columns, { epoch, index }, this.mark(), [loan]);
  }

  protected async startEpoch(): Promise<void> {
    this.#epoch += 1;
    this.#position = 0;
  }

  protected async release(): Promise<void> {
    await this.dataset.release();
  }

  protected mark(): Bookmark {
    const [epoch, position] = [this.#epoch, this.#position];
    return () => ({
      ...DATASET_STREAM.head,
      epoch,
      position,
      scheme: this.#schemeIdentity,
      dataset: this.#datasetIdentity,
    });
  }

  protected load(state: VersionedState): void {
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
  version: 3,
  migrations: [
    // The first version did not say which dataset it was.
    { from: 1, migrate: (state) => ({ ...state, version: 2, dataset: null }) },
    // Transformers around the second one did not write what they are: see `isOlderThanOptions`.
    { from: 2, migrate: (state) => ({ ...state, version: 3 }) },
  ],
});
