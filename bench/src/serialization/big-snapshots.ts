import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { ndarray, type NdArray, type Snapshot, writeSafetensors } from '@longrun/serialization';

/** Tensors in a snapshot. */
export const TENSORS = 32;

/** Snapshots of one safetensors file each, as a trainer hands them to its worker: on the disk, with what their bytes are. */
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

  /** Writes that of a step in the place of the one before it; no two have the same SHA-256, so that none is stored already. */
  async write(step: number): Promise<Snapshot> {
    const written = await writeSafetensors(this.path, this.#tensors, { step: String(step) });
    return { step, environment: {}, files: [{ name: FILE, path: this.path, ...written }] };
  }
}

const FILE = 'parameters.safetensors';

function randomTensor(length: number): NdArray {
  return ndarray('float32', [length], randomFillSync(new Float32Array(length)));
}
