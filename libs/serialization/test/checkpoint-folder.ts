import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { onTestFinished } from 'vitest';

import {
  acquireLease,
  CheckpointReader,
  CheckpointStore,
  encodeSafetensors,
  type Lease,
  type Manifest,
  type NdArray,
  ndarray,
  openObjectStore,
  type ObjectStore,
} from '../src/index.js';
import { flipBit } from './flip-bit.js';
import { writeLogFile } from './log-of.js';
import { writeSnapshotFiles } from './snapshot-folder.js';

export const PREFIX = 'experiments/exp_1';

/** The files of a checkpoint of a test. */
export type Contents = Readonly<Record<string, string | Uint8Array>>;

/** A store in a folder of its own, with a lease under which checkpoints are committed as a worker does. */
export class CheckpointFolder {
  readonly folder: string;
  readonly store: ObjectStore;
  readonly lease: Lease;
  readonly checkpoints: CheckpointStore;

  private constructor(folder: string, store: ObjectStore, lease: Lease, checkpoints: CheckpointStore) {
    this.folder = folder;
    this.store = store;
    this.lease = lease;
    this.checkpoints = checkpoints;
  }

  static async make(options: { readonly keepLast?: number } = {}): Promise<CheckpointFolder> {
    const folder = await mkdtemp(path.join(tmpdir(), 'checkpoint-folder-'));
    // What is done after a commit may still be under way.
    onTestFinished(() => rm(folder, { recursive: true, maxRetries: 20 }));
    const store = await openObjectStore(`file:${folder}/objects`);
    const lease = await acquireLease(store, PREFIX, { fence: 1, holder: 'worker-a' });
    return new CheckpointFolder(folder, store, lease, new CheckpointStore(store, PREFIX, options));
  }

  get reader(): CheckpointReader {
    return new CheckpointReader(this.store, PREFIX);
  }

  /** Commits a checkpoint with one log row, and waits until what it has pushed out is gone. */
  async commit(step: number, contents: Contents = contentsAt(step)): Promise<Manifest> {
    const snapshot = await writeSnapshotFiles(path.join(this.folder, 'snapshots'), step, contents);
    const log = await writeLogFile(path.join(this.folder, 'snapshots'), `log-${step}`, [{ step, row: { cost: step } }]);
    const manifest = await this.checkpoints.commit(this.lease, { ...snapshot, log });
    await this.checkpoints.settled();
    return manifest;
  }

  /** Changes one bit of an object. */
  async flipBit(key: string): Promise<void> {
    await flipBit(path.join(this.folder, 'objects', key));
  }

  async remove(key: string): Promise<void> {
    await rm(path.join(this.folder, 'objects', key));
  }

  /** Every file of the store with its bytes, those of the head included. */
  async everything(): Promise<ReadonlyMap<string, string>> {
    const root = path.join(this.folder, 'objects');
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
    return new Map(
      await Promise.all(files.toSorted().map(async (file) => [file, await readFile(file, 'hex')] as const)),
    );
  }
}

/** What training would save at a step. */
export function contentsAt(step: number): Contents {
  return {
    'parameters.safetensors': encodeSafetensors(new Map([['W', floats(step, step + 1)]])),
    'state.json': `${JSON.stringify({ step, mainLoop: { epochs: step > 100 ? 2 : 1, name: 'mlp' } })}\n`,
  };
}

export function floats(...values: readonly number[]): NdArray {
  return ndarray('float32', [values.length], Float32Array.from(values));
}

/** Where a checkpoint has a file. */
export function keyOf({ files }: Manifest, name: string): string {
  return files.find((file) => file.name === name)?.blobKey ?? `no file ${name}`;
}
