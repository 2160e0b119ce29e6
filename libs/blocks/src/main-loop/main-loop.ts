import type { Batch, DataStream } from '@longrun/fuel';
import type { RandomStreams, VersionedState } from '@longrun/serialization';
import {
  computeTarget,
  environment,
  guardWrites,
  type ComputeOptions,
  type ComputeTarget,
  type NumericEnvironment,
  type SharedVariable,
} from '@longrun/tensor';

import type { TrainingAlgorithm } from '../algorithms/training-algorithm.js';
import { EventLoopBreaks } from './event-loop.js';
import { ExtensionList } from '../extensions/extension-list.js';
import type { CallbackContext, CallbackName, TrainingExtension } from '../extensions/training-extension.js';
import { Model } from '../graph/model.js';
import { Hyperparameters } from './hyperparameters.js';
import { LoopProfile } from './loop-profile.js';
import type { Profile } from './profile.js';
import type { Inventory } from '../inventory/inventory.js';
import { config, type LogBackendName } from '../configuration/config.js';
import { newLog } from '../log/log-backends.js';
import { FINISH_REQUESTED, type TrainingLogBase, type TrainingStatus } from '../log/training-log-base.js';
import type { MainLoopTimes, TrainingContext } from './training-context.js';
import { TrainingState, type MainLoopArrays, type MainLoopContents, type MainLoopRestoring } from './training-state.js';
import type { Outputs } from '../outputs/outputs.js';
import { PinnedArrays } from '../snapshot/pinned-arrays.js';
import type { TrainingWatch } from './training-watch.js';

/** Options of {@link MainLoop}. */
export interface MainLoopOptions extends ComputeOptions {
  readonly algorithm: TrainingAlgorithm;
  /** The batches to train on. Endless as far as epochs go: what ends training is an extension. */
  readonly dataStream: DataStream;
  /** Default: the model of the algorithm's cost. */
  readonly model?: Model;
  /** Default: a new one of `logBackend`. */
  readonly log?: TrainingLogBase;
  /** Of which kind the log is that is made where none is given. Default: `config.logBackend`, which is `python` where nobody sets it: in memory. */
  readonly logBackend?: LogBackendName;
  /** Called in this order. Default none. */
  readonly extensions?: readonly TrainingExtension[];
  /** Random streams whose state belongs to that of training. Default none. */
  readonly random?: RandomStreams;
  /** Files that belong to the state of training. Default none. */
  readonly outputs?: Outputs;
}

/** How `run()` ended: for good, or to go on from where it stopped. */
export type RunOutcome = 'finished' | 'stopped';

/** Options of {@link MainLoop.run}. */
export interface RunOptions {
  /** Stops training at the next step boundary when it is aborted; see `requestStop()`. */
  readonly signal?: AbortSignal;
}

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
  readonly #breaks = new EventLoopBreaks();
  readonly #checkWrites = (functionName: string, updated: readonly SharedVariable[]): void =>
    this.inventory.check(functionName, updated);
  readonly #state: TrainingState;
  #outputs: Outputs | undefined;
  #watch: TrainingWatch | undefined;
  #atBoundary: (() => void | Promise<void>)[] = [];
  #running = false;
  #stopRequested = false;
  readonly #profile = new LoopProfile();

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
    this.#watch = watch;
  }

  moved(): void {
    this.#watch?.moved();
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
    this.#atBoundary.push(action);
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
    const outcome = await this.#profile.timed('training', () => this.#train());
    await (outcome === 'finished' ? this.#finish() : this.#dispatch('onInterrupt'));
    await this.#extensions.settle();
    this.log.flush();
    return outcome;
  }

  async #start(): Promise<void> {
    this.#state.fixInventory();
    this.model.checkSanity(this.algorithm);
    const resumes = this.status.trainingStarted;
    if (!resumes) {
      await this.#dispatch('beforeTraining');
      // What loads values does it there.
      await this.model.checkInitialized();
    }
    this.#watch?.at('compiling');
    await this.#profile.timed('initialization', () => this.algorithm.initialize(this.target));
    // An extension may have loaded another.
    this.log.status.trainingStarted = true;
    if (!resumes) return;
    await this.#dispatch('onResumption');
  }

  async #train(): Promise<RunOutcome> {
    // A state may have been saved after a request to finish and before its effect.
    if (this.#shouldFinish()) return 'finished';
    for (;;) {
      const outcome = await this.#profile.timed('epoch', () => this.#epoch());
      if (outcome !== undefined) return outcome;
    }
  }

  /** An epoch, or what is left of it; how training ended, where it did. */
  async #epoch(): Promise<RunOutcome | undefined> {
    if (!this.status.epochStarted) await this.#startEpoch();
    for (;;) {
      if (this.#stopRequested) return 'stopped';
      if (!(await this.#step())) break;
      if (this.#shouldFinish()) return 'finished';
      await this.#breaks.takeIfDue();
    }
    await this.#endEpoch();
    if (this.#shouldFinish() || this.status.epochInterruptReceived) return 'finished';
    return this.#stopRequested ? 'stopped' : undefined;
  }

  async #startEpoch(): Promise<void> {
    const { status } = this.log;
    if (status.epochsDone > 0) await this.dataStream.nextEpoch();
    status.receivedFirstBatch = false;
    status.epochStarted = true;
    await this.#dispatch('beforeEpoch');
  }

  /** One batch; false when the epoch has no more. */
  async #step(): Promise<boolean> {
    const { status } = this.log;
    this.#watch?.at('reading');
    const batch = await this.#profile.timed('read_data', () => this.dataStream.next());
    if (batch === undefined) return false;
    status.receivedFirstBatch = true;
    // Here and nowhere else: of a step there is one such moment, whatever epochs begin and end at it.
    this.hyperparameters.applyDue(status.iterationsDone, this.log.currentRow);
    const context: { readonly batch: Batch } = { batch };
    await this.#dispatch('beforeBatch', context);
    this.#watch?.at('step');
    await this.#profile.timed('train', () => this.algorithm.processBatch(batch));
    await this.#profile.lookAtStep(this.algorithm, batch);
    status.iterationsDone += 1;
    this.log.complete(status.iterationsDone - 1);
    this.#watch?.stepped();
    await this.#dispatch('afterBatch', context);
    batch.release();
    return true;
  }

  async #endEpoch(): Promise<void> {
    const { status } = this.log;
    if (!status.receivedFirstBatch) {
      throw new Error('MainLoop: the data stream gave no batches in this epoch; give it a dataset with examples');
    }
    status.epochStarted = false;
    status.epochsDone += 1;
    status.epochEnds = [...status.epochEnds, status.iterationsDone];
    await this.#dispatch('afterEpoch');
  }

  async #finish(): Promise<void> {
    this.log.finish();
    await this.#dispatch('afterTraining');
    this.log.complete(this.status.iterationsDone);
  }

  #shouldFinish(): boolean {
    return this.log.currentRow[FINISH_REQUESTED] === true || this.status.batchInterruptReceived;
  }

  async #dispatch(callback: CallbackName, context: CallbackContext = {}): Promise<void> {
    // Entering and leaving sections would be most of what is done here, where extensions have nothing to do.
    if (this.#profile.isDetailed)
      return await this.#profile.timed(callback, () => this.#dispatchProfiled(callback, context));
    for (const extension of this.#extensions) {
      this.#watch?.at(callback, extension);
      const pending = extension.dispatch(callback, context);
      if (pending !== undefined) await pending;
    }
    if (this.#atBoundary.length > 0) await this.#actAtBoundary();
  }

  async #dispatchProfiled(callback: CallbackName, context: CallbackContext): Promise<void> {
    for (const extension of this.#extensions) {
      this.#watch?.at(callback, extension);
      await this.#profile.timed(extension.name, async () => await extension.dispatch(callback, context));
    }
    if (this.#atBoundary.length > 0) await this.#profile.timed('saving', () => this.#actAtBoundary());
  }

  async #actAtBoundary(): Promise<void> {
    const actions = this.#atBoundary;
    this.#atBoundary = [];
    this.#watch?.at('saving');
    for (const action of actions) await action();
  }

  async #reportError(error: unknown): Promise<void> {
    this.log.currentRow['got_exception'] = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      await this.#dispatch('onError', { error });
      this.log.complete(this.status.iterationsDone);
      await this.#extensions.settle();
      this.log.flush();
    } catch (second) {
      process.emitWarning(`An extension failed after training had failed: ${String(second)}`, 'MainLoopWarning');
    }
  }
}
