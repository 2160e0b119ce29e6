import { dirname } from 'node:path';

import type { DataStream } from '@longrun/fuel';
import type { RestoreOptions, RestorePlan, VersionedState } from '@longrun/serialization';

import { savedPart } from '../main-loop/saved-part.js';
import { readSnapshotState } from '../snapshot/snapshot.js';
import { restoreParameters } from '../graph/restore-parameters.js';
import { TrainingExtension, type ExtensionOptions } from './training-extension.js';

/** Options of {@link Load}. */
export interface LoadOptions extends ExtensionOptions, RestoreOptions {
  /** A safetensors file, such as `parameters.safetensors` of a snapshot, a `.npz` file, or a checkpoint of Blocks. */
  readonly path: string;
  /** Whether the data stream goes on where it was in the snapshot that the file is of. Default false: at its beginning. */
  readonly loadIterationState?: boolean;
  /**
   * Whether the log goes on with the rows and the status of that snapshot, its count of batches and epochs included: as one of its own, whose parent is the log of the snapshot.
   * Default false.
   */
  readonly loadLog?: boolean;
  /** Called with what was restored and what was not. Default: nobody is told. */
  readonly onRestored?: (restored: RestorePlan) => void;
}

/**
 * Starts training from parameters that are there already (Blocks: `Load`): before the first batch, as `restoreParameters` does it, and not when
 * training goes on from a checkpoint, which then has them. The file is needed no more by then. Put it before the extensions that
 * evaluate the model before training.
 *
 * To the log: `loaded_from`, the path, and how many there were of each kind: `loaded_parameters`, `kept_parameters`, `ignored_parameters`. A file that does not
 * fit, or is not there, fails training, and no parameter has changed.
 *
 * Of a snapshot, the place in the data and the log may be loaded too. What the algorithm remembers is not: to go on as if nothing had been is `continueTraining`.
 */
export class Load extends TrainingExtension {
  readonly path: string;
  readonly #options: LoadOptions;

  constructor(options: LoadOptions) {
    super(options);
    this.path = options.path;
    this.#options = options;
  }

  override async beforeTraining(): Promise<void> {
    const { log, dataStream } = this.mainLoop;
    const { loadIterationState = false, loadLog = false } = this.#options;
    const state = loadIterationState || loadLog ? await readSnapshotState(dirname(this.path)) : undefined;
    const { restored, kept, ignored } = await restoreParameters(this.mainLoop, this.path, this.#options);
    if (loadIterationState) await goToPlace(dataStream, savedPart(this.name, state, 'dataStream'));
    if (loadLog) {
      log.restore(savedPart(this.name, state, 'log'));
      log.reopen();
      log.resume();
    }
    const row = log.currentRow;
    row['loaded_from'] = this.path;
    row['loaded_parameters'] = restored.length;
    row['kept_parameters'] = kept.length;
    row['ignored_parameters'] = ignored.length;
    this.#options.onRestored?.({ restored, kept, ignored });
  }
}

/** Goes to a place in the data; from the end of an epoch to the beginning of the next one, as training does that went on from there. */
async function goToPlace(stream: DataStream, place: VersionedState): Promise<void> {
  stream.restore(place);
  const batch = await stream.next();
  if (batch === undefined) return await stream.nextEpoch();
  batch.release();
  stream.restore(place);
}
