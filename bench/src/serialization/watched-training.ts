import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CheckpointStore, Json, Lease, ObjectStore } from '@longrun/serialization';
import { FollowedSnapshot } from './followed-snapshot.js';
import type { Growth } from './growth.js';

/** What the steps of a training took, in ms, before and while it was saved once. A step is counted from the end of the one before it. */
export interface Round {
  /** Steps before the snapshot is asked for. */
  readonly undisturbed: readonly number[];
  /** From the call to when the next step may start. */
  readonly blocked: number;
  /** From the step after the call to the one in which the commit is acknowledged. */
  readonly disturbed: readonly number[];
  /** The longest of them that training was between two steps, where event loop and snapshot have their turn; of ours alone. */
  readonly between?: number;
  /** From the call to the acknowledgement. */
  readonly saved: number;
}

/** What is asked of the process that trains. */
export type TrainingOrder = { readonly undisturbedSteps: number } | { readonly committed: string };

/** What it says. */
export type TrainingReport =
  | { readonly isReady: true }
  | Growth
  | { readonly snapshot: FinishedHere }
  | { readonly round: Round };

interface FinishedHere {
  readonly folder: string;
  readonly step: number;
  readonly environment: { readonly [key: string]: Json };
  readonly files: readonly { readonly name: string; readonly path: string }[];
}

/** Where the snapshots of a training go. */
export interface TrainingStore {
  readonly store: ObjectStore;
  readonly checkpoints: CheckpointStore;
  readonly lease: Lease;
}

/** A training in a process of its own, as in a trainer; this one is its worker and commits its snapshots. */
export class WatchedTraining {
  readonly #trainer: ChildProcess;
  readonly #where: TrainingStore;
  #hear: (report: TrainingReport) => void = () => {};
  #fail: (error: unknown) => void = () => {};

  private constructor(folder: string, width: number, where: TrainingStore, env: NodeJS.ProcessEnv) {
    this.#where = where;
    const script = fileURLToPath(new URL('training-process.js', import.meta.url));
    this.#trainer = fork(script, [folder, String(width)], { env: { ...process.env, ...env } });
    this.#trainer.on('message', (report: TrainingReport) => this.#hear(report));
    this.#trainer.on('exit', (code) => this.#fail(new Error(`The process that trains has ended (${code})`)));
  }

  /** @param env added to that of this process */
  static async start(
    folder: string,
    width: number,
    where: TrainingStore,
    env: NodeJS.ProcessEnv,
  ): Promise<WatchedTraining> {
    const training = new WatchedTraining(folder, width, where, env);
    await training.#heard((report) => ('isReady' in report ? report : undefined));
    return training;
  }

  /** Trains for so many steps, and on until a snapshot of their last is committed. */
  async round(undisturbedSteps: number): Promise<Round> {
    const followed = new FollowedSnapshot(this.#where.store);
    const told = this.#heard((report) => {
      if ('growing' in report) void followed.grown(report.growing, report.sizeBytes);
      if ('snapshot' in report) this.#commit(followed, report.snapshot).catch((error: unknown) => this.#fail(error));
      return 'round' in report ? report.round : undefined;
    });
    this.#order({ undisturbedSteps });
    const round = await told;
    await this.#where.checkpoints.settled();
    return round;
  }

  stop(): void {
    this.#trainer.kill('SIGKILL');
  }

  async #commit(followed: FollowedSnapshot, { folder, step, environment, files }: FinishedHere): Promise<void> {
    try {
      const read = await followed.read(files);
      await this.#where.checkpoints.commit(this.#where.lease, { step, environment, files: read });
    } finally {
      await followed.close();
    }
    this.#order({ committed: folder });
  }

  #order(order: TrainingOrder): void {
    this.#trainer.send(order);
  }

  async #heard<T>(wanted: (report: TrainingReport) => T | undefined): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      this.#fail = reject;
      this.#hear = (report) => {
        const found = wanted(report);
        if (found !== undefined) resolve(found);
      };
    });
  }
}
