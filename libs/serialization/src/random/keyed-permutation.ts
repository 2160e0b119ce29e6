import { philox4x32 } from './philox.js';
import { checkEpoch, type RandomKey } from './random-key.js';
import { joined, TWO_53 } from './words.js';

/**
 * A random order of the integers 0..count-1, each place of which is counted out when it is asked for: it needs no memory and no
 * start, whatever the count. It depends on key, epoch and count alone.
 *
 * Source: the generalized Feistel network of Black and Rogaway, "Ciphers with arbitrary finite domains" (CT-RSA 2002), with Philox as
 * the round function. No secret is safe behind it; that every order is as likely as another is measured by its test.
 */
export class KeyedPermutation {
  readonly count: number;
  readonly #key: readonly [number, number];
  readonly #epoch: number;
  /** The network permutes pairs of numbers below these, of which there are at least `count`. */
  readonly #lefts: number;
  readonly #rights: number;
  readonly #rounds: number;
  readonly #words = new Uint32Array(4);
  /** The pair in hand. */
  #left = 0;
  #right = 0;

  /**
   * @param epoch an integer in 0..2^32-1: another one gives another order
   * @param count an integer in 0..2^53
   * @throws RangeError for others
   */
  constructor(key: RandomKey, epoch: number, count: number) {
    checkEpoch('KeyedPermutation', epoch);
    if (!Number.isInteger(count) || count < 0 || count > TWO_53) {
      throw new RangeError(`KeyedPermutation: count is ${count}; give an integer in 0..2^53`);
    }
    this.count = count;
    this.#key = key.words;
    this.#epoch = epoch;
    // Even, as with two odd numbers the network would give even permutations only, half of all.
    this.#lefts = Math.max(2, 2 * Math.ceil(Math.sqrt(count) / 2));
    this.#rights = Math.max(1, Math.ceil(count / this.#lefts));
    this.#rounds = roundsOf(count);
  }

  /** The integer in this place, counted from 0. @throws RangeError unless the place is an integer in [0, count). */
  at(place: number): number {
    this.#split('place', place);
    // Of the pairs that stand for no number below count, which are few, one goes on to the next.
    do {
      for (let round = 0; round < this.#rounds; round += 2) {
        const left = this.#left + this.#shift(round, this.#right, this.#lefts);
        this.#left = left < this.#lefts ? left : left - this.#lefts;
        const right = this.#right + this.#shift(round + 1, this.#left, this.#rights);
        this.#right = right < this.#rights ? right : right - this.#rights;
      }
    } while (this.#joined() >= this.count);
    return this.#joined();
  }

  /** The place that this integer is in: `placeOf(at(i)) = i`. @throws RangeError unless it is an integer in [0, count). */
  placeOf(integer: number): number {
    this.#split('integer', integer);
    do {
      for (let round = this.#rounds - 2; round >= 0; round -= 2) {
        const right = this.#right - this.#shift(round + 1, this.#left, this.#rights);
        this.#right = right < 0 ? right + this.#rights : right;
        const left = this.#left - this.#shift(round, this.#right, this.#lefts);
        this.#left = left < 0 ? left + this.#lefts : left;
      }
    } while (this.#joined() >= this.count);
    return this.#joined();
  }

  #split(what: string, number: number): void {
    if (!Number.isInteger(number) || number < 0 || number >= this.count) {
      throw new RangeError(
        `KeyedPermutation of ${this.count}: there is no ${what} ${number}; give an integer in 0..count-1`,
      );
    }
    this.#left = Math.floor(number / this.#rights);
    this.#right = number - this.#left * this.#rights;
  }

  #joined(): number {
    return this.#left * this.#rights + this.#right;
  }

  /** A number below `bound`, each equally likely, that follows from the round and the other half. */
  #shift(round: number, half: number, bound: number): number {
    const [key0, key1] = this.#key;
    philox4x32(half, this.#epoch, round, NO_INDEX, key0, key1, this.#words);
    return Math.floor((joined(this.#words[0] ?? 0, this.#words[1] ?? 0) / TWO_53) * bound);
  }
}

/** The upper word of an index never is this, so that a stage may have an order and numbers at places, too. */
const NO_INDEX = 0x80000000;

/**
 * The fewer numbers, the more rounds until all orders are equally likely. Counted out: of up to 8 numbers less than one order in 10,000 is
 * elsewhere after 40 rounds than where chance would put it; of 2^16 and more, two numbers are at some distance by less than 2^-32
 * too often after 8.
 */
function roundsOf(count: number): number {
  if (count < 64) return 40;
  return count < 2 ** 16 ? 16 : 8;
}
