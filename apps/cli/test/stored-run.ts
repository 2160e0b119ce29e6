import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  acquireLease,
  CheckpointStore,
  type Hold,
  type Lease,
  type Manifest,
  type ObjectStore,
  openObjectStore,
} from '@longrun/serialization';
import { expect } from 'vitest';

import { CommandLine, type Finished } from './command-line.js';
import { commitCheckpoint } from './commit-checkpoint.js';

/** The experiment whose checkpoints there are. */
export const ID = 'exp_1';

/** An experiment whose checkpoints a test commits to the store of a state folder, and the command that looks at them. */
export class StoredRun {
  /** For what a test makes besides. */
  readonly folder: string;
  readonly longrun: CommandLine;
  readonly store: ObjectStore;
  readonly lease: Lease;
  readonly #checkpoints: CheckpointStore;

  private constructor(folder: string, longrun: CommandLine, store: ObjectStore, lease: Lease) {
    this.folder = folder;
    this.longrun = longrun;
    this.store = store;
    this.lease = lease;
    this.#checkpoints = new CheckpointStore(store, `experiments/${ID}`);
  }

  static async begin(): Promise<StoredRun> {
    const folder = await mkdtemp(join(tmpdir(), 'longrun-checkpoints-'));
    const longrun = new CommandLine(join(folder, 'state'));
    const store = await openObjectStore(`file:${join(longrun.state, 'objects')}`);
    const lease = await acquireLease(store, `experiments/${ID}`, { fence: 3, holder: 'worker-a' });
    return new StoredRun(folder, longrun, store, lease);
  }

  async commit(step: number, elements?: number): Promise<Manifest> {
    const { lease } = this;
    const folder = join(this.folder, 'snapshots');
    return commitCheckpoint(step, { lease, checkpoints: this.#checkpoints, folder, elements });
  }

  /** Puts holds on a checkpoint, in one write and without a look at their times. */
  async hold(of: number, holds: readonly Hold[]): Promise<void> {
    await this.lease.exclusive(async () => {
      await this.lease.write((head) => ({
        ...head,
        checkpoints: head.checkpoints.map((entry) => (entry.step === of ? { ...entry, holds } : entry)),
      }));
    });
  }

  /** `longrun checkpoint <command> exp_1 …` */
  async checkpoint(command: string, ...words: string[]): Promise<Finished> {
    return this.longrun.run('checkpoint', command, ID, ...words);
  }

  /** What it prints with `--json`. */
  async json(command: string, ...words: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.checkpoint(command, ...words, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  async flipBit(key: string): Promise<void> {
    const file = join(this.longrun.state, 'objects', key);
    const bytes = await readFile(file);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    await writeFile(file, bytes);
  }

  async end(): Promise<void> {
    // What is done after a commit may still be under way.
    await rm(this.folder, { recursive: true, maxRetries: 20 });
  }
}
