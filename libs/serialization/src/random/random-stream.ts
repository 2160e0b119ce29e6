import { createHash } from 'node:crypto';

import { checkVersion, type Stateful, StateMismatch, type VersionedState } from '../state.js';
import { philox4x32 } from './philox.js';

/** Saved position of a {@link RandomStream}. */
export type RandomStreamState = {
  readonly version: 1;
  /** Name, for people. */
  readonly name: string;
  /** Identity: 32 hexadecimal digits derived from seed and name. */
  readonly identity: string;
  /** 32-bit words drawn so far. */
  readonly drawn: number;
  /** The second of a pair of normal numbers, if it is still to be handed out. */
  readonly spareNormal: number | null;
};

/** Anything that can be shuffled in place. */
export interface Shuffleable {
  readonly length: number;
  [index: number]: unknown;
}

/**
 * A stream of random numbers that can be saved at any point and forked without moving on.
 *
 * The numbers are Philox4x32-10 of a counter: they depend on seed, name and position only, not on machine or time. Two
 * streams with different names, or forks with different labels, are independent.
 *
 * Get one from `RandomStreams.stream(name)`, or with `fork` from another stream.
 */
export class RandomStream implements Stateful<RandomStreamState> {
  readonly name: string;
  readonly #words = new Uint32Array(4);
  readonly #identity: string;
  readonly #key: readonly [number, number];
  readonly #nonce: readonly [number, number];
  /** Blocks of four words begun, the last of which is in `#words`. */
  #blocks = 0;
  /** Words of that block that were drawn. */
  #lane = 4;
  #spareNormal: number | null = null;

  /** `origin` is hashed to the identity of the stream: equal origins give equal numbers. */
  constructor(name: string, origin: string) {
    this.name = name;
    const digest = createHash('sha256').update(origin).digest();
    this.#identity = digest.toString('hex', 0, 16);
    this.#key = [digest.readUInt32LE(0), digest.readUInt32LE(4)];
    // The upper half of the counter is free: as 64 more bits of identity it makes equal streams by accident unthinkable.
    this.#nonce = [digest.readUInt32LE(8), digest.readUInt32LE(12)];
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    if (this.#lane === 4) this.#nextBlock();
    const word = this.#words[this.#lane] ?? 0;
    this.#lane += 1;
    return word;
  }

  /** A number in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    return this.#uint53() / TWO_53;
  }

  /** A number of the normal distribution with mean 0 and standard deviation 1. */
  normal(): number {
    if (this.#spareNormal !== null) {
      const spare = this.#spareNormal;
      this.#spareNormal = null;
      return spare;
    }
    // Marsaglia's polar method. Unlike Box and Muller's it needs no sine, whose last bit differs between builds of Node.
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * scale;
      return x * scale;
    }
  }

  /** An integer in [0, bound), each equally likely. @throws RangeError unless bound is an integer in 1..2^53. */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_53) {
      throw new RangeError(`RandomStream ${this.name}: integer needs a bound in 1..2^53, but got ${bound}`);
    }
    const small = bound <= TWO_32;
    const range = small ? TWO_32 : TWO_53;
    // Numbers past the last whole multiple of bound are drawn again: keeping them would favour the small ones.
    const limit = range - (range % bound);
    for (;;) {
      const word = small ? this.uint32() : this.#uint53();
      if (word < limit) return word % bound;
    }
  }

  /** Puts the items in random order, in place; every order is equally likely. */
  shuffle(items: Shuffleable): void {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.integer(last + 1);
      const item = items[last];
      items[last] = items[other];
      items[other] = item;
    }
  }

  /** The integers 0..count-1 in random order. */
  permutation(count: number): Uint32Array {
    if (!Number.isInteger(count) || count < 0 || count > TWO_32) {
      throw new RangeError(`RandomStream ${this.name}: permutation needs a count in 0..2^32, but got ${count}`);
    }
    const indices = new Uint32Array(count);
    for (let index = 0; index < count; index += 1) indices[index] = index;
    this.shuffle(indices);
    return indices;
  }

  /**
   * An independent stream at its beginning. It depends on this stream's identity and the label only, not on how far this
   * stream has come, and does not move it: `fork(3)` is the same at any time. The number 3 and the text '3' are two labels.
   */
  fork(label: string | number): RandomStream {
    return new RandomStream(`${this.name}/${label}`, JSON.stringify(['fork', this.#identity, label]));
  }

  /** Goes back to the beginning. */
  reset(): void {
    this.#blocks = 0;
    this.#lane = 4;
    this.#spareNormal = null;
  }

  state(): RandomStreamState {
    return {
      version: 1,
      name: this.name,
      identity: this.#identity,
      drawn: 4 * this.#blocks + this.#lane - 4,
      spareNormal: this.#spareNormal,
    };
  }

  /** @throws StateMismatch for the state of a stream with another seed or name. */
  restore(state: VersionedState): void {
    const what = `RandomStream ${this.name}`;
    checkVersion(what, state, 1);
    const { identity, drawn, spareNormal } = state;
    if (identity !== this.#identity) {
      throw new StateMismatch(
        `${what}: the saved state is that of stream ${JSON.stringify(state['name'])} with another seed or name; ` +
          `restore it with the seed and the name it was saved under`,
      );
    }
    if (typeof drawn !== 'number' || !Number.isSafeInteger(drawn) || drawn < 0) {
      throw new StateMismatch(`${what}: saved state has drawn ${JSON.stringify(drawn)}, which is no count of words`);
    }
    if (spareNormal !== null && typeof spareNormal !== 'number') {
      throw new StateMismatch(
        `${what}: saved state has spareNormal ${JSON.stringify(spareNormal)}, which is no number`,
      );
    }
    this.#blocks = Math.floor(drawn / 4);
    this.#lane = 4;
    if (drawn % 4 !== 0) {
      this.#nextBlock();
      this.#lane = drawn % 4;
    }
    this.#spareNormal = spareNormal;
  }

  #uint53(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return high * 0x4000000 + low;
  }

  #nextBlock(): void {
    const [key0, key1] = this.#key;
    const [nonce0, nonce1] = this.#nonce;
    const high = Math.floor(this.#blocks / TWO_32);
    philox4x32(this.#blocks >>> 0, high, nonce0, nonce1, key0, key1, this.#words);
    this.#blocks += 1;
    this.#lane = 0;
  }
}

const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;
