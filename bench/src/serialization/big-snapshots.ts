import { randomFillSync } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointStore,
  HashBehind,
  type Lease,
  ndarray,
  type NdArray,
  type ObjectStore,
  readSnapshotFile,
  safetensorsChunks,
  writeWhole,
} from '@longrun/serialization';

/** Tensors in a snapshot. */
export const TENSORS = 32;

/** Snapshots of one safetensors file each, as a trainer hands them to its worker. */
export class BigSnapshots {
  readonly path: string;
  readonly #tensors: ReadonlyMap<string, NdArray>;

  /**
   * @param folder where the newest lies
   * @param bytes of all tensors
   */
  constructor(folder: string, bytes: number) {
    this.path = join(folder, FILE);
    const length = Math.floor(bytes / TENSORS / Float32Array.BYTES_PER_ELEMENT);
    const names = Array.from({ length: TENSORS }, (_, i) => `layer_${i}.W`);
    this.#tensors = new Map(names.map((name) => [name, randomTensor(length)]));
  }

  /** The bytes of each tensor, not copied. */
  get bytes(): Uint8Array[] {
    return [...this.#tensors.values()].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /**
   * Writes that of a step in the place of the one before it, as a trainer does, and reads it meanwhile, as its worker does; no two have the
   * same bytes, so that none is stored already.
   *
   * @returns What makes it a checkpoint, as its worker does once it is announced
   */
  async handOver(store: ObjectStore, step: number): Promise<HandedOver> {
    let opening: Promise<FileHandle | undefined> | undefined;
    let begun: HashBehind | undefined;
    let toldBytes = 0;
    const onWritten = (file: string, sizeBytes: number): void => {
      if (sizeBytes - toldBytes < TOLD_BYTES) return;
      toldBytes = sizeBytes;
      // It may have its last name by then.
      opening ??= open(file).catch(() => undefined);
      void follow(opening, sizeBytes);
    };
    const follow = async (opened: Promise<FileHandle | undefined>, sizeBytes: number): Promise<void> => {
      const handle = await opened;
      if (handle !== undefined) begun ??= new HashBehind(handle, { isSynced: store.takesFiles });
      begun?.written(sizeBytes);
    };
    await writeWhole(this.path, safetensorsChunks(this.#tensors, { step: String(step) }), { onWritten });
    return {
      commit: async (checkpoints, lease) => {
        const handle = (await opening) ?? (await open(this.path));
        try {
          const file = await readSnapshotFile({ name: FILE, path: this.path, handle }, store, begun);
          await checkpoints.commit(lease, { step, environment: {}, files: [file] });
        } finally {
          await handle.close();
        }
      },
    };
  }
}

/** A snapshot that was written and is announced. */
export interface HandedOver {
  readonly commit: (checkpoints: CheckpointStore, lease: Lease) => Promise<void>;
}

/** After as much more its worker is told how far it is written. */
const TOLD_BYTES = 16 << 20;
const FILE = 'parameters.safetensors';

function randomTensor(length: number): NdArray {
  return ndarray('float32', [length], randomFillSync(new Float32Array(length)));
}
