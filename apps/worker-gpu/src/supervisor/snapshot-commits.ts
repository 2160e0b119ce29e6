import { HandoverRefused } from '@longrun/platform/worker';
import { faultPoint } from '@longrun/serialization';
import type { AnnouncedSnapshot } from './open-snapshot.js';
import type { SpooledRows } from './log-spool.js';
import type { FollowedFiles } from './snapshot-follower.js';

/** A finished snapshot on the local disk, as the trainer announced it, and what was logged since the one before. */
export interface LocalSnapshot extends AnnouncedSnapshot {
  /** What was read of it while it was written. */
  readonly followed: FollowedFiles;
  readonly rows: SpooledRows;
}

export interface SnapshotCommitsOptions {
  /** Aborted when no snapshot is to become a checkpoint any more: those that wait are passed over. */
  readonly dropped: AbortSignal;
  /** Makes the snapshot a checkpoint, and discards its rows. */
  readonly commit: (snapshot: LocalSnapshot) => Promise<void>;
  /** Called when a snapshot has been committed. */
  readonly onCommitted: (snapshot: LocalSnapshot) => void;
  /** Called once, with the first error that was not for being dropped; nothing is committed after it. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Commits snapshots in the background, one at a time and in the order in which they were taken. A trainer waits before it makes more
 * than it may have uncommitted; one that does not is refused.
 */
export class SnapshotCommits {
  readonly #options: SnapshotCommitsOptions;
  #tail: Promise<void> = Promise.resolve();
  #failed = false;
  #waiting = 0;

  constructor(options: SnapshotCommitsOptions) {
    this.#options = options;
  }

  add(snapshot: LocalSnapshot): void {
    if (this.#failed) return;
    if (this.#waiting >= MAX_UNCOMMITTED) {
      this.#fail(
        new HandoverRefused(
          `The trainer handed over ${snapshot.name} while ${this.#waiting} snapshots before it were not committed; it must wait for them.`,
        ),
      );
      return;
    }
    this.#waiting += 1;
    this.#tail = this.#tail.then(() => this.#commit(snapshot)).finally(() => (this.#waiting -= 1));
  }

  /** Something is being committed: whoever makes snapshots may be waiting for that. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves when everything added so far has been committed or passed over. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  async #commit(snapshot: LocalSnapshot): Promise<void> {
    if (this.#failed || this.#options.dropped.aborted) return;
    try {
      await faultPoint('snapshot.handed-over');
      await this.#options.commit(snapshot);
      await faultPoint('snapshot.committed');
    } catch (error) {
      if (!this.#options.dropped.aborted) this.#fail(error);
      return;
    }
    this.#options.onCommitted(snapshot);
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.onFailure(error);
  }
}

/** The trainer waits while two are not committed, and once it is told to stop makes one more without waiting. */
const MAX_UNCOMMITTED = 3;
