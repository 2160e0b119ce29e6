import { checkKind, countIn, StateMismatch, type Json, type VersionedState } from '@longrun/serialization';
import type { Dataset } from '../datasets/dataset.js';
import type { IterationScheme } from '../schemes/iteration-scheme.js';
import type { Batch, DataStream } from './data-stream.js';

/**
 * A dataset gone through by an iteration scheme (Fuel: `DataStream`).
 *
 * State: the epoch, the position in it, and the identity of the scheme. Some hundred bytes, whatever the dataset.
 */
export class DatasetStream implements DataStream {
  readonly sources: readonly string[];
  readonly axisLabels: ReadonlyMap<string, readonly string[]> | null;
  readonly producesExamples: boolean;
  readonly batchesPerEpoch: number;
  readonly dataset: Dataset;
  readonly iterationScheme: IterationScheme;
  readonly #schemeIdentity: { readonly [key: string]: Json };
  #epoch = 0;
  #position = 0;

  constructor(dataset: Dataset, iterationScheme: IterationScheme) {
    this.dataset = dataset;
    this.iterationScheme = iterationScheme;
    this.sources = dataset.sources;
    this.producesExamples = iterationScheme.requestsExamples;
    this.batchesPerEpoch = iterationScheme.requestsPerEpoch;
    this.#schemeIdentity = iterationScheme.identity();
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
      version: 1,
      kind: 'DatasetStream',
      epoch: this.#epoch,
      position: this.#position,
      scheme: this.#schemeIdentity,
    };
  }

  restore(state: VersionedState): void {
    checkKind('DatasetStream', state, 1);
    const epoch = countIn('DatasetStream', state, 'epoch');
    const position = countIn('DatasetStream', state, 'position');
    const saved = canonical(state['scheme']);
    const present = canonical(this.#schemeIdentity);
    if (saved !== present) {
      throw new StateMismatch(
        `DatasetStream: the state was saved with the scheme ${saved}, but this stream has ${present}; ` +
          'build it with the same examples, batch size and seed as when it was saved',
      );
    }
    this.#epoch = epoch;
    this.#position = position;
  }
}

function withoutBatchAxis(
  axisLabels: ReadonlyMap<string, readonly string[]> | null,
): ReadonlyMap<string, readonly string[]> | null {
  if (axisLabels === null) return null;
  return new Map([...axisLabels].map(([source, labels]) => [source, labels.slice(1)]));
}

/** JSON with sorted keys: a state that went through a database may come back with its keys in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
