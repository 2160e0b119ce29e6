import type { CheckpointFinding, StoredCheckpointList, StoredCheckpointView } from '@longrun/contracts';
import type { Manifest, ObjectReading } from '@longrun/serialization';

/** The checkpoints of an experiment, wherever they are read. */
export interface CheckpointSource {
  /** What they lie under in their store. */
  readonly prefix: string;
  /** Where they are read: the URL of an object store, or of an API. */
  readonly place: { readonly objects: string } | { readonly api: string };
  /** Gives the files of the manifests that {@link read} gives. */
  readonly objects: ObjectReading;

  /** Those of another experiment at the same place. */
  of(experiment: string): Promise<CheckpointSource>;

  /** All of them, newest first. */
  list(): Promise<StoredCheckpointList>;

  /** What a checkpoint consists of. */
  view(which: string): Promise<StoredCheckpointView>;

  /** Reads every byte of a checkpoint, or (undefined) of all and the log beside them. */
  verify(which: string | undefined): AsyncIterable<CheckpointFinding>;

  /**
   * Does something with a checkpoint: anew with the one that is meant now, where it was removed meanwhile.
   *
   * @param which `latest`, a step, or a name
   * @param options.isDoubtful Whether what was found may be due to its removal. Default: never
   */
  read<T>(
    which: string,
    look: (checkpoint: ReadableCheckpoint) => Promise<T>,
    options?: { readonly isDoubtful?: (found: T) => boolean },
  ): Promise<T>;
}

/** A checkpoint whose files can be read. */
export interface ReadableCheckpoint {
  readonly name: string;
  readonly manifest: Manifest;
}
