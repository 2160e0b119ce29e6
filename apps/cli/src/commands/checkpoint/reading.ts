import { type Environment, places, readVariables, variables } from '@longrun/platform/configuration';
import {
  CheckpointAbsent,
  CheckpointReader,
  CorruptBlob,
  CorruptManifest,
  ExportRefused,
  HeadDamaged,
  InvalidKey,
  type ObjectStore,
  openObjectStoreToRead,
  S3Failed,
  StateMismatch,
  StoreStalled,
  StoreUnfit,
} from '@longrun/serialization';

import { CheckpointFailed, UnusableObjects } from './checkpoint-errors.js';

/** Where a command looks for checkpoints. */
export interface CheckpointPlace {
  /** Id of an experiment, or a prefix such as `experiments/<id>`. */
  readonly experiment: string;
  /** URL of the object store. Default: LONGRUN_OBJECTS, or else the one of the state folder. */
  readonly objects?: string | undefined;
  readonly state: string;
  readonly environment: Environment;
}

/**
 * Reads the checkpoints at a place. Nothing is changed there.
 *
 * @throws CheckpointFailed for what cannot be done, UnusableObjects for what is to be written otherwise
 */
export async function reading<T>(place: CheckpointPlace, work: (reader: CheckpointReader) => Promise<T>): Promise<T> {
  const store = await opened(place);
  try {
    return await work(new CheckpointReader(store, prefixOf(place.experiment)));
  } catch (error) {
    if (error instanceof InvalidKey)
      throw new UnusableObjects(`${place.experiment}: ${error.message}`, { cause: error });
    if (isForeseen(error)) throw new CheckpointFailed(error.message, { cause: error });
    throw error;
  }
}

async function opened({ objects, state, environment }: CheckpointPlace): Promise<ObjectStore> {
  const { LONGRUN_OBJECTS } = readVariables({ LONGRUN_OBJECTS: variables.LONGRUN_OBJECTS }, environment);
  const { objectsUrl } = places({ LONGRUN_STATE: state, LONGRUN_OBJECTS: objects ?? LONGRUN_OBJECTS });
  try {
    return await openObjectStoreToRead(objectsUrl);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const Kind = error instanceof StoreUnfit ? CheckpointFailed : UnusableObjects;
    throw new Kind(error.message, { cause: error });
  }
}

function prefixOf(experiment: string): string {
  return experiment.includes('/') ? experiment : `experiments/${experiment}`;
}

function isForeseen(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  // Of a disk, here or under the store; its message has the path.
  return 'syscall' in error || foreseen.some((kind) => error instanceof kind);
}

const foreseen = [
  CheckpointAbsent,
  CorruptBlob,
  CorruptManifest,
  ExportRefused,
  HeadDamaged,
  S3Failed,
  StateMismatch,
  StoreStalled,
  StoreUnfit,
];
