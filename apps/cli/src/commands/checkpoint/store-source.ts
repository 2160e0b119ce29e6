import type { CheckpointFinding, StoredCheckpointList, StoredCheckpointView } from '@longrun/contracts';
import { checkpointFindings, checkpointList, checkpointView } from '@longrun/platform/checkpoints';
import { CheckpointReader, maskedUrl, type ObjectReading, type ObjectStore } from '@longrun/serialization';

import type { CheckpointSource, ReadableCheckpoint } from './checkpoint-source.js';

/** The checkpoints of an experiment, read in their object store. */
export class StoreSource implements CheckpointSource {
  readonly #store: ObjectStore;
  readonly #reader: CheckpointReader;

  /** @param experiment its whole id, or a prefix */
  constructor(store: ObjectStore, experiment: string) {
    this.#store = store;
    this.#reader = new CheckpointReader(store, experiment.includes('/') ? experiment : `experiments/${experiment}`);
  }

  get prefix(): string {
    return this.#reader.prefix;
  }

  get place(): { readonly objects: string } {
    return { objects: maskedUrl(this.#store.url) };
  }

  get objects(): ObjectReading {
    return this.#store;
  }

  async of(experiment: string): Promise<CheckpointSource> {
    return new StoreSource(this.#store, experiment);
  }

  async list(): Promise<StoredCheckpointList> {
    return checkpointList(await this.#reader.list());
  }

  async view(which: string): Promise<StoredCheckpointView> {
    return checkpointView(this.#reader, which);
  }

  verify(which: string | undefined): AsyncIterable<CheckpointFinding> {
    return checkpointFindings(this.#reader, which);
  }

  async read<T>(
    which: string,
    look: (checkpoint: ReadableCheckpoint) => Promise<T>,
    options?: { readonly isDoubtful?: (found: T) => boolean },
  ): Promise<T> {
    return this.#reader.read(which, look, options);
  }
}
