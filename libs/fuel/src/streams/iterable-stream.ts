import type { StatefulIterator, VersionedState } from '@longrun/serialization';
import type { IterableDataset } from '../datasets/iterable-dataset.js';
import { withoutBatchAxis } from './axis-labels.js';
import type { Batch, DataStream } from './data-stream.js';

/**
 * The examples of an iterable dataset, one after the other (Fuel: `DataStream` without an iteration scheme). Each epoch begins with
 * the first one again.
 *
 * State: that of the iterators, and the identity of the dataset.
 */
export class IterableStream implements DataStream {
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly producesExamples = true;
  readonly batchesPerEpoch: number | null;
  readonly dataset: IterableDataset;
  #examples: StatefulIterator<Batch>;

  /** @throws what the first example throws when it is read, which the identity of the dataset needs */
  constructor(dataset: IterableDataset) {
    this.dataset = dataset;
    this.sources = dataset.sources;
    this.batchesPerEpoch = dataset.examplesCount;
    this.axisLabels = withoutBatchAxis(dataset.axisLabels);
    dataset.identity();
    this.#examples = dataset.examples();
  }

  async next(): Promise<Batch | undefined> {
    const step = this.#examples.next();
    return step.done ? undefined : step.value;
  }

  async nextEpoch(): Promise<void> {
    this.#examples = this.dataset.examples();
  }

  async close(): Promise<void> {
    await this.dataset.close();
  }

  state(): VersionedState {
    return this.#examples.state();
  }

  /** @throws StateMismatch for the state of a stream over another dataset, naming both */
  restore(state: VersionedState): void {
    this.#examples.restore(state);
  }
}
