import {
  CheckpointVerification,
  OutputList,
  StoredCheckpointList,
  StoredCheckpointSummary,
  StoredCheckpointView,
} from '@longrun/contracts';

import type { ApiConnection } from '../api-connection.js';
import { experimentPath } from '../experiment-path.js';

/** The checkpoints of experiments. One is meant by `latest`, its step, or its name. Every method throws as those of {@link ApiConnection}. */
export class Checkpoints {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  /** As they lie in the object store. */
  async list(experiment: string, signal?: AbortSignal): Promise<StoredCheckpointList> {
    return await this.#connection.json(StoredCheckpointList, `${experimentPath(experiment)}/checkpoints`, { signal });
  }

  /** The files that the program has written by the newest one. */
  async outputs(experiment: string, signal?: AbortSignal): Promise<OutputList> {
    return await this.#connection.json(OutputList, `${experimentPath(experiment)}/outputs`, { signal });
  }

  async get(experiment: string, which: string): Promise<StoredCheckpointView> {
    return await this.#connection.json(StoredCheckpointView, checkpointPath(experiment, which));
  }

  /** Has every byte of one, or (undefined) of all and the log beside them, read and compared. It may take as long as it likes. */
  async verify(experiment: string, which: string | undefined): Promise<CheckpointVerification> {
    const of = which === undefined ? `${experimentPath(experiment)}/checkpoints` : checkpointPath(experiment, which);
    const path = `${of}/verify`;
    return await this.#connection.slow(CheckpointVerification, path, { method: 'POST' });
  }

  /** Keeps one, whatever is committed after it. */
  async pin(experiment: string, which: string): Promise<StoredCheckpointSummary> {
    const path = `${checkpointPath(experiment, which)}/pin`;
    return await this.#connection.json(StoredCheckpointSummary, path, { method: 'PUT' });
  }

  /** Lets go of one that was kept. */
  async unpin(experiment: string, which: string): Promise<StoredCheckpointSummary> {
    const path = `${checkpointPath(experiment, which)}/pin`;
    return await this.#connection.json(StoredCheckpointSummary, path, { method: 'DELETE' });
  }
}

function checkpointPath(experiment: string, which: string): string {
  return `${experimentPath(experiment)}/checkpoints/${encodeURIComponent(which)}`;
}
