import type { TrainingLogBase, TrainingStatus } from '../log/training-log-base.js';
import {
  CALLBACK_NAMES,
  TrainingExtension,
  type CallbackContext,
  type CallbackName,
  type ExtensionOptions,
} from './training-extension.js';

/** When a {@link SimpleExtension} acts. Counts are those since the beginning of training, not of this run. */
export interface Conditions {
  readonly beforeTraining?: boolean;
  readonly onResumption?: boolean;
  /** Before the epoch with number 0. */
  readonly beforeFirstEpoch?: boolean;
  readonly beforeEpoch?: boolean;
  readonly beforeBatch?: boolean;
  readonly afterBatch?: boolean;
  readonly afterEpoch?: boolean;
  readonly afterTraining?: boolean;
  readonly onInterrupt?: boolean;
  readonly onError?: boolean;
  /** After so many epochs, once. */
  readonly afterNEpochs?: number | undefined;
  /** After every so many epochs. */
  readonly everyNEpochs?: number | undefined;
  /** After so many batches, once. */
  readonly afterNBatches?: number | undefined;
  /** After every so many batches. */
  readonly everyNBatches?: number | undefined;
}

/** Options of extensions that act on conditions. */
export interface SimpleExtensionOptions extends ExtensionOptions, Conditions {}

/** True when the extension is to act, given that its callback is due. */
export type Predicate = (log: TrainingLogBase) => boolean;

/** An extension that does one thing, whenever one of its conditions holds (Blocks: `SimpleExtension`). */
export abstract class SimpleExtension extends TrainingExtension {
  #conditions: {
    readonly callback: CallbackName;
    readonly predicate: Predicate;
    readonly arguments: readonly unknown[];
  }[] = [];

  /** @param defaults conditions that hold unless `options` says otherwise: `afterEpoch: false` */
  constructor(options: SimpleExtensionOptions = {}, defaults: Conditions = {}) {
    super(options);
    this.setConditions({ ...defaults, ...conditionsIn(options) });
  }

  /** What it does. Called once for each condition that holds; `args` are those of the condition. */
  abstract do(callback: CallbackName, context: CallbackContext, args: readonly unknown[]): void | Promise<void>;

  /** Replaces all conditions. @throws Error for one that does not exist, or a count that is not positive */
  setConditions(conditions: Conditions): this {
    this.#conditions = [];
    for (const [name, value] of Object.entries(conditions)) {
      if (!isCondition(name)) {
        throw new Error(`${this.name}: there is no condition ${name}; there are ${Object.keys(CONDITIONS).join(', ')}`);
      }
      if (value === undefined || value === false) continue;
      const { callback, isCounted = false, holds } = CONDITIONS[name];
      const count = isCounted ? this.#count(name, value) : 0;
      this.addCondition([callback], { predicate: ({ status }) => holds(status, count) });
    }
    return this;
  }

  /**
   * Adds a condition: acts at each of `callbacks` if the predicate says so.
   *
   * @throws Error for a callback that does not exist
   */
  addCondition(
    callbacks: readonly CallbackName[],
    options: { readonly predicate?: Predicate; readonly arguments?: readonly unknown[] } = {},
  ): this {
    for (const callback of callbacks) {
      if (!CALLBACK_NAMES.includes(callback)) {
        throw new Error(`${this.name}: there is no callback ${callback}; there are ${CALLBACK_NAMES.join(', ')}`);
      }
      const { predicate = always, arguments: args = [] } = options;
      this.#conditions.push({ callback, predicate, arguments: args });
    }
    return this;
  }

  override dispatch(callback: CallbackName, context: CallbackContext): void | Promise<void> {
    const due = this.#conditions.filter(
      (condition) => condition.callback === callback && condition.predicate(this.mainLoop.log),
    );
    if (due.length === 0) return undefined;
    return this.#act(callback, context, due);
  }

  async #act(
    callback: CallbackName,
    context: CallbackContext,
    due: readonly { readonly arguments: readonly unknown[] }[],
  ): Promise<void> {
    for (const condition of due) await this.do(callback, context, condition.arguments);
  }

  #count(name: string, value: boolean | number): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
    throw new Error(`${this.name}: ${name} is ${value}; give a whole number of at least 1, or leave it out`);
  }
}

/** What a condition means: at which callback it holds, and when, given the count that it is set to where it is counted. */
interface Condition {
  readonly callback: CallbackName;
  /** Default false: it is set or not. */
  readonly isCounted?: boolean;
  readonly holds: (status: Readonly<TrainingStatus>, count: number) => boolean;
}

const CONDITIONS: { readonly [C in keyof Required<Conditions>]: Condition } = {
  beforeTraining: { callback: 'beforeTraining', holds: always },
  onResumption: { callback: 'onResumption', holds: always },
  beforeFirstEpoch: { callback: 'beforeEpoch', holds: ({ epochsDone }) => epochsDone === 0 },
  beforeEpoch: { callback: 'beforeEpoch', holds: always },
  beforeBatch: { callback: 'beforeBatch', holds: always },
  afterBatch: { callback: 'afterBatch', holds: always },
  afterEpoch: { callback: 'afterEpoch', holds: always },
  afterTraining: { callback: 'afterTraining', holds: always },
  onInterrupt: { callback: 'onInterrupt', holds: always },
  onError: { callback: 'onError', holds: always },
  afterNEpochs: { callback: 'afterEpoch', isCounted: true, holds: ({ epochsDone }, n) => epochsDone === n },
  everyNEpochs: { callback: 'afterEpoch', isCounted: true, holds: ({ epochsDone }, n) => epochsDone % n === 0 },
  afterNBatches: { callback: 'afterBatch', isCounted: true, holds: ({ iterationsDone }, n) => iterationsDone === n },
  everyNBatches: {
    callback: 'afterBatch',
    isCounted: true,
    holds: ({ iterationsDone }, n) => iterationsDone % n === 0,
  },
};

function conditionsIn(options: SimpleExtensionOptions): Conditions {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => isCondition(name) && value !== undefined),
  );
}

function isCondition(name: string): name is keyof Conditions {
  return Object.hasOwn(CONDITIONS, name);
}

function always(): boolean {
  return true;
}
