import { type ChildProcess, fork } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CheckpointStore, type Lease, ndarray, type NdArray, type ObjectStore } from '@longrun/serialization';
import { FollowedSnapshot } from './followed-snapshot.js';
import type { Growth } from './growth.js';

/** Tensors in a snapshot. */
export const TENSORS = 32;

/** What is asked of the process that writes snapshots. */
export interface Order {
  readonly step: number;
}

/** What it says. */
export type Report = Growth | { readonly written: number } | { readonly failed: string };

/** Snapshots of one safetensors file each, which another process writes as a trainer does; this one is its worker. */
export class BigSnapshots {
  readonly path: string;
  readonly #trainer: ChildProcess;
  #hear: (report: Report) => void = () => {};

  private constructor(path: string, bytes: number) {
    this.path = path;
    const script = fileURLToPath(new URL('trainer-process.js', import.meta.url));
    this.#trainer = fork(script, [path, String(bytes)]);
    this.#trainer.on('message', (report: Report) => this.#hear(report));
    this.#trainer.on('exit', (code) => this.#hear({ failed: `it has ended (${code})` }));
  }

  /**
   * @param folder where the newest lies
   * @param bytes of all tensors
   */
  static async start(folder: string, bytes: number): Promise<BigSnapshots> {
    const snapshots = new BigSnapshots(join(folder, FILE), bytes);
    await snapshots.#written(() => {});
    return snapshots;
  }

  /**
   * Has that of a step written in the place of the one before it, and reads it meanwhile; no two have the same bytes, so that none is
   * stored already.
   *
   * @returns What makes it a checkpoint once it is announced
   */
  async handOver(store: ObjectStore, step: number): Promise<HandedOver> {
    const followed = new FollowedSnapshot(store);
    const written = this.#written((file, sizeBytes) => void followed.grown(file, sizeBytes));
    const order: Order = { step };
    this.#trainer.send(order);
    await written;
    return {
      commit: async (checkpoints, lease) => {
        try {
          const files = await followed.read([{ name: FILE, path: this.path }]);
          await checkpoints.commit(lease, { step, environment: {}, files });
        } finally {
          await followed.close();
        }
      },
    };
  }

  stop(): void {
    this.#trainer.kill('SIGKILL');
  }

  async #written(onGrowing: (file: string, sizeBytes: number) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#hear = (report) => {
        if ('growing' in report) onGrowing(report.growing, report.sizeBytes);
        else if ('written' in report) resolve();
        else reject(new Error(`The process that writes snapshots failed: ${report.failed}`));
      };
    });
  }
}

/** A snapshot that was written and is announced. */
export interface HandedOver {
  readonly commit: (checkpoints: CheckpointStore, lease: Lease) => Promise<void>;
}

/** Tensors of so many bytes in all. */
export function randomTensors(bytes: number): ReadonlyMap<string, NdArray> {
  const length = Math.floor(bytes / TENSORS / Float32Array.BYTES_PER_ELEMENT);
  const names = Array.from({ length: TENSORS }, (_, i) => `layer_${i}.W`);
  return new Map(names.map((name) => [name, ndarray('float32', [length], randomFillSync(new Float32Array(length)))]));
}

const FILE = 'parameters.safetensors';
