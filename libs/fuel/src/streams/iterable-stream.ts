import type { VersionedState } from '@longrun/serialization';
import type { IterableExamples } from '../datasets/iterable-examples.js';
import { withoutBatchAxis } from './axis-labels.js';
import { DataStream } from './data-stream.js';
import { Delivery, type Bookmark } from './delivery.js';
import type { StreamedDataset } from './streamed-dataset.js';

/** What this stream asks of a dataset besides: its examples, one after the other. `IterableDataset` says what each of them is. */
export interface StreamedIterable extends StreamedDataset {
  readonly examplesCount: number | null;
  examples(epoch?: number): IterableExamples;
}

/**
 * The examples of an iterable dataset, one after the other (Fuel: `DataStream` without an iteration scheme). Each epoch begins with
 * the first one again.
 *
 * State: that of the iterators, the epoch, and the identity of the dataset.
 */
export class IterableStream<D extends StreamedIterable = StreamedIterable> extends DataStream {
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly producesExamples = true;
  readonly batchesPerEpoch: number | null;
  readonly dataset: D;
  #examples: IterableExamples;

  /** @throws what the first example throws when it is read, which the identity of the dataset needs */
  constructor(dataset: D) {
    super();
    this.dataset = dataset;
    this.sources = dataset.sources;
    this.batchesPerEpoch = dataset.examplesCount;
    this.axisLabels = withoutBatchAxis(dataset.axisLabels);
    dataset.identity();
    this.#examples = dataset.examples();
    dataset.retain();
  }

  stages(): readonly string[] {
    return [String(this.dataset)];
  }

  protected async advance(): Promise<Delivery | undefined> {
    const { epoch, position: index } = this.#examples;
    const step = this.#examples.next();
    return step.done ? undefined : new Delivery(step.value.columns, { epoch, index }, this.mark());
  }

  protected async startEpoch(): Promise<void> {
    this.#examples = this.dataset.examples(this.#examples.epoch + 1);
  }

  protected async release(): Promise<void> {
    await this.dataset.release();
  }

  protected mark(): Bookmark {
    const state = this.#examples.state();
    return () => state;
  }

  protected load(state: VersionedState): void {
    this.#examples.restore(state);
  }
}
