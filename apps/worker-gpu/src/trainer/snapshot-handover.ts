import type { TrainerMessage } from '@longrun/contracts';
import type { FinishedSnapshot } from '@longrun/blocks';

/**
 * Hands snapshots to the worker, which commits one at a time. One more may wait; when a third is due training waits, so that
 * no more than two checkpoints' worth of steps is ever at risk.
 */
export class SnapshotHandover {
  readonly #tell: (message: TrainerMessage) => void;
  readonly #uncommitted = new Set<string>();
  #onCommitted: () => void = () => {};
  #released = false;

  constructor(tell: (message: TrainerMessage) => void) {
    this.#tell = tell;
  }

  /** Resolves when the snapshots before this one have been committed. */
  async handOver(snapshot: FinishedSnapshot): Promise<void> {
    const { folder, step, files, environment } = snapshot;
    this.#uncommitted.add(folder);
    this.#tell({ type: 'snapshot', folder, step, files: [...files], environment, final: false });
    while (this.#uncommitted.size > 1 && !this.#released) {
      await new Promise<void>((resolve) => {
        this.#onCommitted = resolve;
      });
    }
  }

  /** The worker has committed a snapshot. */
  committed(folder: string): void {
    this.#uncommitted.delete(folder);
    this.#onCommitted();
  }

  /** Training is about to stop: from now on nothing waits for the worker, whose time is short. */
  release(): void {
    this.#released = true;
    this.#onCommitted();
  }
}
