import type { DataStream } from '@longrun/fuel';
import type { RandomStreams, VersionedState } from '@longrun/serialization';
import {
  computeTarget,
  environment,
  guardWrites,
  type ComputeTarget,
  type NumericEnvironment,
  type SharedVariable,
} from '@longrun/tensor';

import type { TrainingAlgorithm } from '../algorithms/training-algorithm.js';
import { config } from '../configuration/config.js';
import { ExtensionList } from '../extensions/extension-list.js';
import type { TrainingExtension } from '../extensions/training-extension.js';
import { Model } from '../graph/model.js';
import type { Inventory } from '../inventory/inventory.js';
import { newLog } from '../log/log-backends.js';
import type { TrainingLogBase, TrainingStatus } from '../log/training-log-base.js';
import type { Outputs } from '../outputs/outputs.js';
import { PinnedArrays } from '../snapshot/pinned-arrays.js';
import { Callbacks } from './callbacks.js';
import { Epochs } from './epochs.js';
import { Hyperparameters } from './hyperparameters.js';
import { LoopProfile } from './loop-profile.js';
import type { MainLoopArrays, MainLoopContents, MainLoopRestoring } from './main-loop-contents.js';
import type { MainLoopOptions, RunOptions, RunOutcome } from './main-loop-options.js';
import type { Profile } from './profile.js';
import type { MainLoopTimes, TrainingContext } from './training-context.js';
import { TrainingState } from './training-state.js';
import { ForwardingWatch, type TrainingWatch } from './training-watch.js';

/**
 * Trains: takes batches of a stream, processes them with an algorithm, and calls extensions (Blocks: `MainLoop`).
 *
 * The callbacks come in this order: beforeTraining, or onResumption when it goes on from a checkpoint; then
 * (beforeEpoch, (beforeBatch, the step, afterBatch)*, afterEpoch)*; then afterTraining.
 *
 * Its state is that at a step boundary: between two steps, when all extensions have been called. A main loop built the same
 * way that restores it ends with the same parameters and the same log, bit by bit in the same numeric environment. What training
 * writes is part of it, as the {@link Inventory} says; a function that updates something else fails at its first run.
 */
export class MainLoop implements TrainingContext {
  readonly algorithm: TrainingAlgorithm;
  readonly dataStream: DataStream;
  readonly model: Model;
  readonly log: TrainingLogBase;
  readonly random: RandomStreams | undefined;
  /** What can be set while it trains. */
  readonly hyperparameters: Hyperparameters = new Hyperparameters(() => this.inventory.algorithm);
  /** Where functions are to run. */
  readonly target: ComputeTarget;
  readonly #extensions: ExtensionList;
  readonly #callbacks: Callbacks;
  readonly #epochs: Epochs;
  readonly #checkWrites = (functionName: string, updated: readonly SharedVariable[]): void =>
    this.inventory.check(functionName, updated);
  readonly #state: TrainingState;
  readonly #watch = new ForwardingWatch();
  readonly #profile = new LoopProfile();
  #outputs: Outputs | undefined;
  #running = false;
  #stopRequested = false;

  /** @throws Error when not all that training writes can be saved; EngineUnavailable for an engine or provider that is none */
  constructor(options: MainLoopOptions) {
    this.algorithm = options.algorithm;
    this.dataStream = options.dataStream;
    this.model = options.model ?? new Model(options.algorithm.outputs);
    this.log = options.log ?? newLog(options.logBackend ?? config.logBackend);
    this.random = options.random;
    this.#outputs = options.outputs;
    this.target = computeTarget(options);
    this.#extensions = new ExtensionList(options.extensions ?? []);
    const { algorithm, model, hyperparameters, log, dataStream, random } = this;
    const extensions = this.#extensions;
    this.#state = new TrainingState({ algorithm, model, hyperparameters, log, dataStream, random, extensions });
    this.#callbacks = new Callbacks(extensions, this.#profile, this.#watch);
    this.#epochs = new Epochs(this, this.#callbacks, this.#profile, this.#watch);
    for (const extension of extensions) extension.attach(this);
    // What cannot be saved is to be known before training, not at the first checkpoint.
    void this.#state.inventory;
  }

  get status(): Readonly<TrainingStatus> {
    return this.log.status;
  }

  get extensions(): readonly TrainingExtension[] {
    return [...this.#extensions];
  }

  get outputs(): Outputs | undefined {
    return this.#outputs;
  }

  /** Makes files part of the state. For hosts, before training starts. @throws Error when it has others */
  keepOutputs(outputs: Outputs): void {
    if (this.#outputs !== undefined && this.#outputs !== outputs) {
      throw new Error(
        `MainLoop: the program gave it outputs in ${this.#outputs.folder}, but the host keeps those in ${outputs.folder}; ` +
          'leave the option outputs out, and write to context.output(name)',
      );
    }
    this.#outputs = outputs;
  }

  /** Has a host told how training moves. */
  watchedBy(watch: TrainingWatch): void {
    this.#watch.to = watch;
  }

  moved(): void {
    this.#watch.moved();
  }

  get inventory(): Inventory {
    return this.#state.inventory;
  }

  /** Where time went, since it was constructed; of callbacks and their extensions only where `config.profile` asks for it. Printed at the end of `run()` where `config.profile` says so, with what the first step of that took by brick. */
  get profile(): Profile {
    return this.#profile.sections;
  }

  get environment(): NumericEnvironment {
    return environment(this.target);
  }

  get times(): MainLoopTimes {
    return {
      initializationMs: this.profile.totalMs('initialization'),
      readDataMs: this.profile.totalMs('training', 'epoch', 'read_data'),
      trainMs: this.profile.totalMs('training', 'epoch', 'train'),
    };
  }

  get plannedIterations(): number | null {
    const perEpoch = this.dataStream.batchesPerEpoch;
    const ends = this.extensions.map((extension) => extension.plannedEnd(perEpoch)).filter((end) => end !== null);
    return ends.length === 0 ? null : Math.min(...ends);
  }

  /** The extension of that name. @throws Error unless there is exactly one */
  findExtension(name: string): TrainingExtension {
    return this.#extensions.find(name);
  }

  /**
   * Trains until an extension asks to finish (`finished`), or until it is stopped (`stopped`). On a main loop that has
   * finished it does nothing.
   *
   * @throws Error whatever a step or an extension throws, after `onError` was called; `afterTraining` is not
   */
  async run(options: RunOptions = {}): Promise<RunOutcome> {
    if (this.#running) throw new Error('MainLoop: run() is going on already; await it');
    if (this.status.trainingFinished) return 'finished';
    this.#running = true;
    this.#profile.begin();
    const stop = (): void => this.requestStop();
    options.signal?.addEventListener('abort', stop, { once: true });
    if (options.signal?.aborted === true) this.requestStop();
    try {
      return await guardWrites(this.#checkWrites, () => this.#run());
    } catch (error) {
      await this.#reportError(error);
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', stop);
      this.#running = false;
      this.#stopRequested = false;
      this.#profile.end();
    }
  }

  requestStop(): void {
    this.#stopRequested = true;
  }

  get stopRequested(): boolean {
    return this.#stopRequested;
  }

  requestFinish(after: 'batch' | 'epoch'): void {
    if (after === 'batch') this.log.status.batchInterruptReceived = true;
    else this.log.status.epochInterruptReceived = true;
  }

  atStepBoundary(action: () => void | Promise<void>): void {
    this.#callbacks.atStepBoundary(action);
  }

  state(): VersionedState {
    return this.#state.state();
  }

  /** Copies of the values as they are at the call, which belong to the caller. */
  async arrays(): Promise<MainLoopArrays> {
    return await this.#state.arrays();
  }

  pinnedArrays(): PinnedArrays {
    return new PinnedArrays(this.inventory);
  }

  /**
   * Goes back, or on, to a saved state.
   *
   * @throws StateMismatch when it is not that of such a main loop: where names, shapes or dtypes of arrays differ, nothing has
   * been changed; where a stream or an extension refuses its part, this main loop is not to be used further
   */
  restore(contents: MainLoopContents, options: MainLoopRestoring = {}): void {
    if (this.#running) throw new Error('MainLoop: restore() while run() is going on; await it');
    this.#state.restore(contents, options);
  }

  async #run(): Promise<RunOutcome> {
    // Where the log cannot be written, or is not that of the state, it is to be known before training.
    this.log.flush();
    await this.#start();
    const outcome = await this.#profile.timed('training', () => this.#epochs.run());
    await (outcome === 'finished' ? this.#finish() : this.#callbacks.dispatch('onInterrupt'));
    await this.#extensions.settle();
    this.log.flush();
    return outcome;
  }

  async #start(): Promise<void> {
    this.#state.fixInventory();
    this.model.checkSanity(this.algorithm);
    const resumes = this.status.trainingStarted;
    if (!resumes) {
      await this.#callbacks.dispatch('beforeTraining');
      // What loads values does it there.
      await this.model.checkInitialized();
    }
    this.#watch.at('compiling');
    await this.#profile.timed('initialization', () => this.algorithm.initialize(this.target));
    // An extension may have loaded another.
    this.log.status.trainingStarted = true;
    if (!resumes) return;
    await this.#callbacks.dispatch('onResumption');
  }

  async #finish(): Promise<void> {
    this.log.finish();
    await this.#callbacks.dispatch('afterTraining');
    this.log.complete(this.status.iterationsDone);
  }

  async #reportError(error: unknown): Promise<void> {
    this.log.currentRow['got_exception'] = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      await this.#callbacks.dispatch('onError', { error });
      this.log.complete(this.status.iterationsDone);
      await this.#extensions.settle();
      this.log.flush();
    } catch (second) {
      process.emitWarning(`An extension failed after training had failed: ${String(second)}`, 'MainLoopWarning');
    }
  }
}
