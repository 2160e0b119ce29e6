import { ApiUnreachable } from '@longrun/client';
import { places, readVariables, variables } from '@longrun/platform/configuration';
import {
  CheckpointAbsent,
  CorruptBlob,
  CorruptManifest,
  ExportFailed,
  ExportRefused,
  HeadDamaged,
  InvalidKey,
  maskedUrl,
  ObjectAbsent,
  type ObjectStore,
  openObjectStoreToRead,
  S3Failed,
  StateMismatch,
  StoreStalled,
  StoreUnfit,
} from '@longrun/serialization';

import { type AddressOptions, connectIfRunning } from '../../address.js';
import { connectionWords } from '../../output/connection-words.js';
import { ApiSource } from './api-source.js';
import { CheckpointFailed, UnusableObjects } from './checkpoint-errors.js';
import type { CheckpointSource } from './checkpoint-source.js';
import { StoreSource } from './store-source.js';

/** Where a command looks for checkpoints. */
export interface CheckpointPlace extends AddressOptions {
  /** Id of an experiment, or a prefix such as `experiments/<id>`; by way of the API also the beginning of an id, or a name. */
  readonly experiment: string;
  /** URL of the object store. Default: LONGRUN_OBJECTS. Where neither is given the API is asked, if there is one, or else the state folder is read. */
  readonly objects?: string | undefined;
}

/**
 * Reads the checkpoints at a place. Nothing is changed there.
 *
 * @throws CheckpointFailed for what cannot be done, UnusableObjects for what is to be written otherwise, what the API refuses
 */
export async function reading<T>(
  place: CheckpointPlace,
  work: (checkpoints: CheckpointSource) => Promise<T>,
): Promise<T> {
  const source = await sourceAt(place);
  try {
    return await work(source);
  } catch (error) {
    if (error instanceof InvalidKey)
      throw new UnusableObjects(`${place.experiment}: ${error.message}`, { cause: error });
    if (isDamage(error)) throw new CheckpointFailed(`${error.message}; ${remedyOf(place)}`, { cause: error });
    if (isForeseen(error)) throw new CheckpointFailed(error.message, { cause: error });
    throw error;
  }
}

async function sourceAt(place: CheckpointPlace): Promise<CheckpointSource> {
  const { experiment, objects, state, environment } = place;
  const { LONGRUN_OBJECTS } = readVariables({ LONGRUN_OBJECTS: variables.LONGRUN_OBJECTS }, environment);
  const named = objects ?? LONGRUN_OBJECTS;
  const client = named === undefined && !experiment.includes('/') ? await connectIfRunning(place) : undefined;
  if (client === undefined) {
    const { objectsUrl } = places({ LONGRUN_STATE: state, LONGRUN_OBJECTS: named });
    return new StoreSource(await opened(objectsUrl), experiment);
  }
  try {
    return await ApiSource.of(client, experiment);
  } catch (error) {
    if (!(error instanceof ApiUnreachable)) throw error;
    throw new CheckpointFailed(`${connectionWords(error)}, or read the object store itself: --objects URL`, {
      cause: error,
    });
  }
}

async function opened(objectsUrl: string): Promise<ObjectStore> {
  try {
    return await openObjectStoreToRead(objectsUrl);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const Kind = error instanceof StoreUnfit ? CheckpointFailed : UnusableObjects;
    throw new Kind(error.message, { cause: error });
  }
}

function isDamage(error: unknown): error is Error {
  return error instanceof CorruptBlob || error instanceof CorruptManifest;
}

/** The command that says which checkpoints are whole, as it can be given; of the URL of a store what may be secret is left out. */
function remedyOf({ experiment, objects }: CheckpointPlace): string {
  const where = objects === undefined ? '' : ` --objects '${maskedUrl(objects)}'`;
  return `see which checkpoints are whole: longrun checkpoint verify ${experiment} --all${where}`;
}

function isForeseen(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  // Of a disk, here or under the store; its message has the path.
  return 'syscall' in error || foreseen.some((kind) => error instanceof kind);
}

const foreseen = [
  CheckpointAbsent,
  ExportFailed,
  ExportRefused,
  HeadDamaged,
  ObjectAbsent,
  S3Failed,
  StateMismatch,
  StoreStalled,
  StoreUnfit,
];
