import type { AnnouncedSnapshot } from './open-snapshot.js';
import { faultPoint } from '@longrun/serialization';
import type { SpooledRows } from './log-spool.js';

/** A finished snapshot on the local disk, as the trainer announced it, and what was logged since the one before. */
export interface LocalSnapshot extends AnnouncedSnapshot {
  readonly rows: SpooledRows;
}

export interface SnapshotCommitsOptions {
  /** Makes the snapshot a checkpoint, and discards its rows. */
  readonly commit: (snapshot: LocalSnapshot) => Promise<void>;
  /** Called when a snapshot has been committed. */
  readonly onCommitted: (snapshot: LocalSnapshot) => void;
  /** Called once, with the first error; nothing is committed after it. */
  readonly onFailure: (error: unknown) => void;
}

/** Commits snapshots in the background, one at a time and in the order in which they were taken. */
export class SnapshotCommits {
  readonly #options: SnapshotCommitsOptions;
  #tail: Promise<void> = Promise.resolve();
  #failed = false;
  #waiting = 0;

  constructor(options: SnapshotCommitsOptions) {
    this.#options = options;
  }

  add(snapshot: LocalSnapshot): void {
    this.#waiting += 1;
    this.#tail = this.#tail.then(() => this.#commit(snapshot)).finally(() => (this.#waiting -= 1));
  }

  /** Something is being committed: whoever makes snapshots may be waiting for that. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves when everything added so far has been committed or, after a failure, passed over. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  async #commit(snapshot: LocalSnapshot): Promise<void> {
    if (this.#failed) return;
    try {
      await faultPoint('snapshot.handed-over');
      await this.#options.commit(snapshot);
      await faultPoint('snapshot.committed');
    } catch (error) {
      this.#failed = true;
      this.#options.onFailure(error);
      return;
    }
    this.#options.onCommitted(snapshot);
  }
}
