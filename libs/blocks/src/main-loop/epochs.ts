import type { Batch } from '@longrun/fuel';

import { FINISH_REQUESTED } from '../log/training-log-base.js';
import type { Callbacks } from './callbacks.js';
import { EventLoopBreaks } from './event-loop.js';
import type { LoopProfile } from './loop-profile.js';
import type { RunOutcome } from './main-loop-options.js';
import type { TrainingContext } from './training-context.js';
import type { TrainingWatch } from './training-watch.js';

/** The epochs of a main loop, batch by batch: what it does between its first callback and its last. */
export class Epochs {
  readonly #context: TrainingContext;
  readonly #callbacks: Callbacks;
  readonly #profile: LoopProfile;
  readonly #watch: TrainingWatch;
  readonly #breaks = new EventLoopBreaks();

  constructor(context: TrainingContext, callbacks: Callbacks, profile: LoopProfile, watch: TrainingWatch) {
    this.#context = context;
    this.#callbacks = callbacks;
    this.#profile = profile;
    this.#watch = watch;
  }

  /** Goes on from where the log is, until training is to finish or to stop: which of them. */
  async run(): Promise<RunOutcome> {
    // A state may have been saved after a request to finish and before its effect.
    if (this.#shouldFinish()) return 'finished';
    for (;;) {
      const outcome = await this.#profile.timed('epoch', () => this.#epoch());
      if (outcome !== undefined) return outcome;
    }
  }

  /** An epoch, or what is left of it; how training ended, where it did. */
  async #epoch(): Promise<RunOutcome | undefined> {
    if (!this.#context.status.epochStarted) await this.#startEpoch();
    for (;;) {
      if (this.#context.stopRequested) return 'stopped';
      if (!(await this.#step())) break;
      if (this.#shouldFinish()) return 'finished';
      const turn = this.#breaks.takeIfDue();
      if (turn !== undefined) await turn;
    }
    await this.#endEpoch();
    if (this.#shouldFinish() || this.#context.status.epochInterruptReceived) return 'finished';
    return this.#context.stopRequested ? 'stopped' : undefined;
  }

  async #startEpoch(): Promise<void> {
    const { log, dataStream } = this.#context;
    const { status } = log;
    if (status.epochsDone > 0) await dataStream.nextEpoch();
    status.receivedFirstBatch = false;
    status.epochStarted = true;
    await this.#callbacks.dispatch('beforeEpoch');
  }

  /** One batch; false when the epoch has no more. Waits only for what is not done yet: a wait takes its time, however short. */
  async #step(): Promise<boolean> {
    const { algorithm, dataStream, hyperparameters, log } = this.#context;
    const { status } = log;
    this.#watch.at('reading');
    const batch = await this.#profile.timed('read_data', () => dataStream.next());
    if (batch === undefined) return false;
    status.receivedFirstBatch = true;
    // Here and nowhere else: of a step there is one such moment, whatever epochs begin and end at it.
    hyperparameters.applyDue(status.iterationsDone, log.currentRow);
    const context: { readonly batch: Batch } = { batch };
    const before = this.#callbacks.dispatch('beforeBatch', context);
    if (before !== undefined) await before;
    this.#watch.at('step');
    await this.#profile.timed('train', () => algorithm.processBatch(batch));
    if (this.#profile.isDetailed) await this.#profile.lookAtStep(algorithm, batch);
    status.iterationsDone += 1;
    log.complete(status.iterationsDone - 1);
    this.#watch.stepped();
    const after = this.#callbacks.dispatch('afterBatch', context);
    if (after !== undefined) await after;
    batch.release();
    return true;
  }

  async #endEpoch(): Promise<void> {
    const { status } = this.#context.log;
    if (!status.receivedFirstBatch) {
      throw new Error('MainLoop: the data stream gave no batches in this epoch; give it a dataset with examples');
    }
    status.epochStarted = false;
    status.epochsDone += 1;
    status.epochEnds = [...status.epochEnds, status.iterationsDone];
    await this.#callbacks.dispatch('afterEpoch');
  }

  #shouldFinish(): boolean {
    const { currentRow, status } = this.#context.log;
    return currentRow[FINISH_REQUESTED] === true || status.batchInterruptReceived;
  }
}
