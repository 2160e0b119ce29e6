import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { TrainerMessage } from '@longrun/contracts';
import type { FinishedSnapshot, WrittenSnapshot } from '@longrun/blocks';

/**
 * Hands snapshots to the worker, which commits one at a time. One more may wait; when a third is due training waits, so that
 * no more than two checkpoints' worth of steps is ever at risk.
 */
export class SnapshotHandover {
  readonly #tell: (message: TrainerMessage) => void;
  /** Their folders, by name. */
  readonly #uncommitted = new Map<string, string>();
  /** How much of the file that is being written the worker was told of. */
  #told = { file: '', sizeBytes: 0 };
  #onCommitted: () => void = () => {};
  #released = false;

  constructor(tell: (message: TrainerMessage) => void) {
    this.#tell = tell;
  }

  /** So many of the first bytes of a file of a snapshot are written: the worker may read them while the rest is. */
  readonly written = (file: string, sizeBytes: number): void => {
    if (this.#told.file !== file) this.#told = { file, sizeBytes: 0 };
    if (sizeBytes - this.#told.sizeBytes < TOLD_BYTES) return;
    this.#told = { file, sizeBytes };
    this.#tell({ type: 'snapshot_growing', folder: basename(dirname(file)), file: basename(file), sizeBytes });
  };

  /** Resolves when the snapshots before this one have been committed. */
  async handOver(snapshot: FinishedSnapshot): Promise<void> {
    const { folder } = snapshot;
    this.#uncommitted.set(basename(folder), folder);
    this.#tell(announcement(folder, snapshot, false));
    while (this.#uncommitted.size > 1 && !this.#released) {
      await new Promise<void>((resolve) => {
        this.#onCommitted = resolve;
      });
    }
  }

  /** The worker has committed the snapshot of this name: its files are deleted. */
  async committed(name: string): Promise<void> {
    const folder = this.#uncommitted.get(name);
    this.#uncommitted.delete(name);
    this.#onCommitted();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  /** Training is about to stop: from now on nothing waits for the worker, whose time is short. */
  release(): void {
    this.#released = true;
    this.#onCommitted();
  }
}

/** Of what is smaller the worker reads the whole before the next is there. */
const TOLD_BYTES = 4 << 20;

/** What the worker is told of a snapshot: names in its folder, for a path would not be followed, and sizes; the rest it finds itself. */
export function announcement(
  folder: string,
  { step, files, environment }: WrittenSnapshot,
  final: boolean,
): Extract<TrainerMessage, { type: 'snapshot' }> {
  return {
    type: 'snapshot',
    name: basename(folder),
    step,
    files: files.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    environment: { ...environment },
    final,
  };
}
