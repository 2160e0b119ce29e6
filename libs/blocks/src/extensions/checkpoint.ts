import { rm } from 'node:fs/promises';
import path from 'node:path';

import type { TrainingContext } from '../main-loop/training-context.js';
import { saveSnapshot, snapshotFolder, snapshotsOfLog, type FinishedSnapshot } from '../snapshot/snapshot-folder.js';
import type { SnapshotMember } from '../snapshot/snapshot-members.js';
import type { SnapshotWriting } from '../snapshot/snapshot.js';
import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';
import type { CallbackContext, CallbackName } from './training-extension.js';

/** Options of {@link Checkpoint}. */
export interface CheckpointOptions extends SimpleExtensionOptions, SnapshotWriting {
  /** Where the snapshots go, each into a folder of its own: `step-000000000100`. */
  readonly folder: string;
  /**
   * What is saved in each snapshot besides, by name, from the main loop at that step: `{ vocabulary: () => ({ value: words }) }`. `loadFromSnapshot` reads it, without the rest. Default
   * nothing.
   */
  readonly saveSeparately?: Readonly<Record<string, (mainLoop: TrainingContext) => SnapshotMember>>;
  /** How many of its snapshots stay; older ones are deleted. Default 3. */
  readonly keepLast?: number;
  /** What to do when the last snapshot is still being written, or handed over, as another is due. Default 'wait'. */
  readonly whenBusy?: 'wait' | 'skip';
  /** Called with each finished snapshot. Until the promise it returns is settled, the snapshot counts as being written. */
  readonly onSnapshot?: (snapshot: FinishedSnapshot) => void | Promise<void>;
  /** Record of the log that has the folder of the snapshot; null for none. Default `saved_to`. */
  readonly logRecord?: string | null;
}

/**
 * Saves all that is needed to go on, by default after training (Blocks: `Checkpoint`).
 *
 * A snapshot is taken at the step boundary, when all extensions have been called, wherever this one stands in the list; and it
 * is written while training goes on. It appears complete or not at all. One step is saved once. A failure to write fails
 * training at the next callback, or at its end.
 */
export class Checkpoint extends SimpleExtension {
  readonly folder: string;
  readonly #options: CheckpointOptions;
  /** Its snapshots, each once; the one that was saved last is the last. */
  #kept: readonly string[] = [];
  #busy: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #lastStep: number | undefined;
  /** Whether training goes on from a checkpoint, and nothing was saved since. */
  #hasResumed = false;

  constructor(options: CheckpointOptions) {
    super(options, { afterTraining: true });
    this.folder = path.resolve(options.folder);
    this.#options = options;
  }

  /** @throws Error for a callback that is not at a step boundary */
  override addCondition(...[callbacks, options]: Parameters<SimpleExtension['addCondition']>): this {
    for (const callback of ['beforeBatch', 'onError'] as const) {
      if (!callbacks.includes(callback)) continue;
      throw new Error(
        `${this.name}: ${callback} is not at a step boundary, so there is no state to go on from; use everyNBatches`,
      );
    }
    return super.addCondition(callbacks, options);
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    const keepLast = this.#options.keepLast ?? 3;
    if (!Number.isInteger(keepLast) || keepLast < 1) {
      throw new Error(`${this.name}: keepLast is ${keepLast}; give a whole number of at least 1`);
    }
  }

  override dispatch(callback: CallbackName, context: CallbackContext): void | Promise<void> {
    this.#throwFailure();
    if (callback === 'onResumption') {
      this.#hasResumed = true;
      // It may be behind what was saved last.
      this.#lastStep = undefined;
    }
    return super.dispatch(callback, context);
  }

  override async do(callback: CallbackName): Promise<void> {
    const step = this.mainLoop.status.iterationsDone;
    const final = callback === 'afterTraining';
    if (!final && step === this.#lastStep) return;
    if (this.#busy !== undefined && this.#options.whenBusy === 'skip' && !final) return;
    this.#lastStep = step;
    const record = this.#options.logRecord === undefined ? 'saved_to' : this.#options.logRecord;
    if (record !== null) this.mainLoop.log.currentRow[record] = snapshotFolder(this.mainLoop, this.folder);
    this.mainLoop.atStepBoundary(async () => {
      await this.settle();
      this.#busy = this.#save();
    });
  }

  override async settle(): Promise<void> {
    await this.#busy;
    this.#throwFailure();
  }

  /** Never rejects: a failure is kept until someone looks. */
  async #save(): Promise<void> {
    try {
      // Called before anything is awaited, so that it takes the state of this step boundary.
      const members = new Map(
        Object.entries(this.#options.saveSeparately ?? {}).map(([name, member]) => [name, member(this.mainLoop)]),
      );
      const snapshot = await saveSnapshot(this.mainLoop, this.folder, { ...this.#options, members });
      await this.#options.onSnapshot?.(snapshot);
      // Those from before training was stopped are its own, too.
      const before = this.#hasResumed ? await snapshotsOfLog(this.mainLoop.log.uuid, snapshot.folder) : [];
      this.#hasResumed = false;
      const newest = [...before, snapshot.folder];
      // Training that was taken back saves steps again.
      this.#kept = [...this.#kept.filter((folder) => !newest.includes(folder)), ...newest];
      await this.#deleteOld();
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#busy = undefined;
    }
  }

  async #deleteOld(): Promise<void> {
    const old = this.#kept.slice(0, -(this.#options.keepLast ?? 3));
    this.#kept = this.#kept.slice(old.length);
    for (const folder of old) await rm(folder, { recursive: true, force: true });
  }

  #throwFailure(): void {
    const failure = this.#failure;
    if (failure === undefined) return;
    this.#failure = undefined;
    throw new Error(`${this.name}: a snapshot could not be written to ${this.folder}`, { cause: failure.error });
  }
}
