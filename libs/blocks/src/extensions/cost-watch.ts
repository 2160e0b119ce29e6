import type { TrainingContext } from '../main-loop/training-context.js';
import {
  TrainingExtension,
  type CallbackContext,
  type CallbackName,
  type ExtensionOptions,
} from './training-extension.js';

/** A cost that is NaN or infinite. */
export interface NonFiniteCost {
  /** Batches done. */
  readonly step: number;
  /** What it is called in the log; `cost` for that of the algorithm, which need not be logged. */
  readonly record: string;
  readonly value: number;
}

/** A cost was not a finite number, and training was to end with that. */
export class Diverged extends Error {
  override readonly name = 'Diverged';

  constructor({ step, record, value }: NonFiniteCost) {
    super(`${record} is ${value} at step ${step}`);
  }
}

/** Options of {@link CostWatch}. */
export interface CostWatchOptions extends ExtensionOptions {
  /** Called with the first cost that is not finite, at the step at which it is computed. */
  readonly onNonFinite: (found: NonFiniteCost) => void;
  /** Ends training with {@link Diverged} then, before anything is saved. Default false. */
  readonly stops?: boolean;
}

/**
 * Notices the first cost that is not a finite number: that of the algorithm with every batch, also where nobody logs it, and every
 * record of the log that is called a cost or a loss. To be given after the extensions that log. Saves nothing.
 */
export class CostWatch extends TrainingExtension {
  readonly #options: CostWatchOptions;
  readonly #isCost = new Map<string, boolean>();
  #hasFound = false;

  constructor(options: CostWatchOptions) {
    super(options);
    this.#options = options;
  }

  override attach(mainLoop: TrainingContext): void {
    super.attach(mainLoop);
    const { algorithm } = mainLoop;
    if (algorithm.cost !== undefined) algorithm.observe([algorithm.cost]);
  }

  override dispatch(callback: CallbackName, context: CallbackContext): void | Promise<void> {
    if (!this.#hasFound && callback !== 'onError') this.#look(callback);
    return super.dispatch(callback, context);
  }

  #look(callback: CallbackName): void {
    const found = (callback === 'afterBatch' ? this.#ofBatch() : undefined) ?? this.#ofRow();
    if (found === undefined) return;
    this.#hasFound = true;
    this.#options.onNonFinite(found);
    if (this.#options.stops === true) throw new Diverged(found);
  }

  #ofBatch(): NonFiniteCost | undefined {
    const { algorithm, status } = this.mainLoop;
    if (algorithm.cost === undefined) return undefined;
    const value = Number(algorithm.observed(algorithm.cost).data[0]);
    if (Number.isFinite(value)) return undefined;
    return { step: status.iterationsDone, record: algorithm.cost.name ?? 'cost', value };
  }

  #ofRow(): NonFiniteCost | undefined {
    const { log, status } = this.mainLoop;
    const step = status.iterationsDone;
    const row = log.rows.get(step);
    for (const record in row) {
      const value = row[record];
      if (typeof value === 'number' && !Number.isFinite(value) && this.#isNameOfCost(record))
        return { step, record, value };
    }
    return undefined;
  }

  #isNameOfCost(record: string): boolean {
    let is = this.#isCost.get(record);
    if (is === undefined) this.#isCost.set(record, (is = /(^|[^a-z])(cost|loss)([^a-z]|$)/i.test(record)));
    return is;
  }
}
