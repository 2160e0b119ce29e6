import type { Batch } from '@longrun/fuel';
import type { VersionedState } from '@longrun/serialization';
import type { SharedVariable } from '@longrun/tensor';

import type { TrainingContext } from '../main-loop/training-context.js';

/** When the main loop calls its extensions. */
export const CALLBACK_NAMES = [
  'beforeTraining',
  'onResumption',
  'beforeEpoch',
  'beforeBatch',
  'afterBatch',
  'afterEpoch',
  'afterTraining',
  'onInterrupt',
  'onError',
] as const;

/** When the main loop calls its extensions. */
export type CallbackName = (typeof CALLBACK_NAMES)[number];

/** What a callback is about: the batch, in `beforeBatch` and `afterBatch`; the error, in `onError`. */
export interface CallbackContext {
  readonly batch?: Batch;
  readonly error?: unknown;
}

/** Options of every extension. */
export interface ExtensionOptions {
  /** Name for `findExtension` and for its saved state. Default: the class name. */
  readonly name?: string;
}

/** How an extension goes on from a state. */
export interface ExtensionRestoring {
  /** The datasets are others than when it was saved: a place in them is none. Default false. */
  readonly otherData?: boolean | undefined;
}

/**
 * Something that the main loop calls as training goes on (Blocks: `TrainingExtension`). The callbacks do nothing here.
 *
 * An extension that remembers something from batch to batch that the log depends on saves it: see `state()`. One that updates
 * shared variables by functions of its own says which: see `updatedVariables`.
 */
export abstract class TrainingExtension {
  readonly name: string;
  #mainLoop: TrainingContext | undefined;

  constructor(options: ExtensionOptions = {}) {
    this.name = options.name ?? new.target.name;
  }

  /** The main loop it belongs to. Throws before `attach()`. */
  get mainLoop(): TrainingContext {
    if (this.#mainLoop === undefined) throw new Error(`${this.name} belongs to no main loop; give it to one`);
    return this.#mainLoop;
  }

  /**
   * The shared variables that functions of this extension update: they are saved with the main loop. The same from `attach()` on.
   * A function that updates others fails at its first run.
   */
  get updatedVariables(): readonly SharedVariable[] {
    return [];
  }

  /** Those that its functions update but that are not saved, because their values never outlive a step. */
  get transientVariables(): readonly SharedVariable[] {
    return [];
  }

  /**
   * After how many batches this extension will finish training, as far as it knows beforehand; null where it does not.
   *
   * @param batchesPerEpoch null where the stream does not tell
   */
  plannedEnd(_batchesPerEpoch: number | null): number | null {
    return null;
  }

  /** Called when the main loop is constructed, also on one that goes on from a checkpoint. */
  attach(mainLoop: TrainingContext): void {
    if (this.#mainLoop !== undefined) throw new Error(`${this.name} belongs to a main loop already; make another one`);
    this.#mainLoop = mainLoop;
  }

  /** Calls the method of that name. */
  dispatch(callback: CallbackName, context: CallbackContext): void | Promise<void> {
    switch (callback) {
      case 'beforeBatch':
      case 'afterBatch':
        return context.batch === undefined ? undefined : this[callback](context.batch);
      case 'onError':
        return this.onError(context.error);
      default:
        return this[callback]();
    }
  }

  /** Once, before the first batch. */
  beforeTraining(): void | Promise<void> {}

  /** When training goes on from a checkpoint. */
  onResumption(): void | Promise<void> {}

  beforeEpoch(): void | Promise<void> {}

  /** Before a step. The batch is released after the step, when all extensions have been called: what is to be kept of its columns is copied (`copyOf`). */
  beforeBatch(_batch: Batch): void | Promise<void> {}

  /** After a step; of the batch as {@link beforeBatch}. */
  afterBatch(_batch: Batch): void | Promise<void> {}

  afterEpoch(): void | Promise<void> {}

  /** Once, when training has finished; not when it was stopped or failed. */
  afterTraining(): void | Promise<void> {}

  /** When training stops before it has finished, to go on elsewhere. (Blocks declared it but never called it.) */
  onInterrupt(): void | Promise<void> {}

  /** When something threw. */
  onError(_error: unknown): void | Promise<void> {}

  /** Waits for what it does in the background. Called before `run()` ends, however it ends. */
  async settle(): Promise<void> {}

  /** What to save with the main loop; undefined for nothing. */
  state(): VersionedState | undefined {
    return undefined;
  }

  /** Takes back what `state()` gave. */
  restore(_state: VersionedState, _options?: ExtensionRestoring): void {}
}
