import { shown } from '../shown.js';
import { naming, type StateHead, StateKind } from '../state-kind.js';
import { type Stateful, StateMismatch, type VersionedState } from '../state.js';
import { logarithm } from './logarithm.js';
import { type DrawnPosition, PhiloxNumbers } from './philox-numbers.js';
import { checkEpoch, RandomKey } from './random-key.js';
import { TWO_32 } from './words.js';

/** Where in a run numbers are drawn. */
export type RandomPlace = {
  /** The pass over the data, 0..2^32-1. */
  readonly epoch: number;
  /** The example, or whatever else is counted, 0..2^53-1. */
  readonly index: number;
  /** What draws: any text, one for each stage of a pipeline. */
  readonly stage: string;
};

/** Saved position of a {@link RandomAt}. */
export type RandomAtState = StateHead & RandomPlace & DrawnPosition & { readonly seed: number };

/**
 * The random numbers of one place in a run: they depend on nothing but the seed and the place, and so neither on the order in which
 * examples are worked on nor on who does it.
 *
 * Who draws for many examples of a stage makes its {@link RandomKey} once, and `new RandomAt(key, epoch, index)` of each.
 *
 * @throws RangeError for a seed, epoch or index out of range
 */
export function randomAt(seed: number, { epoch, index, stage }: RandomPlace): RandomAt {
  return new RandomAt(new RandomKey(seed, stage), epoch, index);
}

/**
 * See {@link randomAt}. A place has 2^34 words.
 *
 * The words are Philox4x32-10 of the counter (block, epoch, lower and upper word of the index), the lowest word first, under the key
 * of the stage: an engine that has Philox gives the same.
 */
export class RandomAt extends PhiloxNumbers implements Stateful<RandomAtState> {
  readonly #key: RandomKey;
  readonly #epoch: number;
  readonly #index: number;

  /** @throws RangeError unless epoch is an integer in 0..2^32-1 and index one in 0..2^53-1. */
  constructor(key: RandomKey, epoch: number, index: number) {
    checkEpoch('RandomAt', epoch);
    if (!Number.isSafeInteger(index) || index < 0) {
      throw new RangeError(`RandomAt: index is ${index}; give an integer in 0..2^53-1`);
    }
    super({
      key0: key.words[0],
      key1: key.words[1],
      second: epoch,
      third: index % TWO_32,
      fourth: Math.floor(index / TWO_32),
      log: logarithm,
    });
    this.#key = key;
    this.#epoch = epoch;
    this.#index = index;
  }

  state(): RandomAtState {
    const { seed, stage } = this.#key;
    return { ...RANDOM_AT.head, seed, epoch: this.#epoch, index: this.#index, stage, ...this.position() };
  }

  /** @throws StateMismatch for the state of another place. */
  restore(state: VersionedState): void {
    const read = RANDOM_AT.read(state, this.what());
    const own = this.state();
    for (const name of ['seed', 'epoch', 'index', 'stage'] as const) {
      if (read[name] !== own[name]) {
        throw new StateMismatch(
          `${this.what()}: the saved state has ${name} ${shown(read[name])}, not ${JSON.stringify(own[name])}; ` +
            `restore it into the numbers of its own place`,
        );
      }
    }
    this.moveTo(read);
  }

  protected override what(): string {
    return `RandomAt epoch ${this.#epoch}, index ${this.#index}, stage ${JSON.stringify(this.#key.stage)}`;
  }
}

const RANDOM_AT = new StateKind('RandomAt', {
  version: 2,
  namedSince: 2,
  migrations: [naming('RandomAt')],
});
