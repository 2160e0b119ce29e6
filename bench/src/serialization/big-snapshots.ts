import { randomFillSync } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointStore,
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

  /** Writes that of a step in the place of the one before it, as a trainer does; no two have the same bytes, so that none is stored already. */
  async handOver(step: number): Promise<void> {
    await writeWhole(this.path, safetensorsChunks(this.#tensors, { step: String(step) }));
  }

  /** Commits that which lies there, as a worker does. */
  async commit(store: ObjectStore, checkpoints: CheckpointStore, lease: Lease, step: number): Promise<void> {
    const handle = await open(this.path);
    try {
      const file = await readSnapshotFile({ name: FILE, path: this.path, handle }, store);
      await checkpoints.commit(lease, { step, environment: {}, files: [file] });
    } finally {
      await handle.close();
    }
  }
}

const FILE = 'parameters.safetensors';

function randomTensor(length: number): NdArray {
  return ndarray('float32', [length], randomFillSync(new Float32Array(length)));
}
