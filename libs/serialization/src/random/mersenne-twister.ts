import type { Words } from './words.js';

/**
 * MT19937: 32-bit words with a period of 2^19937 - 1. Its state is 624 words and a position.
 *
 * Source: Matsumoto and Nishimura, "Mersenne twister: a 623-dimensionally equidistributed uniform pseudo-random number generator"
 * (ACM TOMACS 1998), with the seeding of 2002.
 */
export class MersenneTwister implements Words {
  /** The state. Whoever writes to it puts `position` with it. */
  readonly words = new Uint32Array(LENGTH);
  /** Words of the state that were drawn, 0..624; at 624 the next draw makes 624 new ones. */
  position = LENGTH;

  /** Starts from a number in 0..2^32-1 (NumPy and the authors: `init_genrand`). */
  seed(seed: number): void {
    const { words } = this;
    words[0] = seed;
    for (let index = 1; index < LENGTH; index += 1) {
      const before = at(words, index - 1);
      words[index] = Math.imul(1812433253, before ^ (before >>> 30)) + index;
    }
    this.position = LENGTH;
  }

  /** Starts from any number, but not none, of numbers in 0..2^32-1 (NumPy and the authors: `init_by_array`). */
  seedByArray(key: Uint32Array): void {
    this.seed(19650218);
    const { words } = this;
    let index = 1;
    for (let count = 0; count < Math.max(LENGTH, key.length); count += 1) {
      const position = count % key.length;
      words[index] = (at(words, index) ^ this.#mixed(index, 1664525)) + at(key, position) + position;
      index = this.#following(index);
    }
    for (let count = 1; count < LENGTH; count += 1) {
      words[index] = (at(words, index) ^ this.#mixed(index, 1566083941)) - index;
      index = this.#following(index);
    }
    words[0] = 0x80000000;
  }

  uint32(): number {
    if (this.position === LENGTH) this.#renew();
    let word = at(this.words, this.position);
    this.position += 1;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #mixed(index: number, multiplier: number): number {
    const before = at(this.words, index - 1);
    return Math.imul(before ^ (before >>> 30), multiplier);
  }

  /** The next index in 1..623; past the end the last word goes to the front. */
  #following(index: number): number {
    if (index + 1 < LENGTH) return index + 1;
    this.words[0] = at(this.words, LENGTH - 1);
    return 1;
  }

  #renew(): void {
    const { words } = this;
    for (let index = 0; index < LENGTH; index += 1) {
      const following = index + 1 < LENGTH ? index + 1 : 0;
      const ahead = index < LENGTH - AHEAD ? index + AHEAD : index + AHEAD - LENGTH;
      const joined = (at(words, index) & 0x80000000) | (at(words, following) & 0x7fffffff);
      words[index] = at(words, ahead) ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    this.position = 0;
  }
}

const LENGTH = 624;
const AHEAD = 397;

function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}
