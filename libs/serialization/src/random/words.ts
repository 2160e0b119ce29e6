/** A source of 32-bit words, each equally likely, unsigned. */
export interface Words {
  uint32(): number;
}

/** Anything that can be shuffled in place. */
export interface Shuffleable {
  readonly length: number;
  [index: number]: unknown;
}

/** An integer in [0, 2^53) from two words, the first of which gives the upper 27 bits. */
export function uint53(words: Words): number {
  return joined(words.uint32(), words.uint32());
}

/** The integer in [0, 2^53) that has the upper 27 bits of one word and the upper 26 of the other. */
export function joined(upper: number, lower: number): number {
  return (upper >>> 5) * 0x4000000 + (lower >>> 6);
}

/** A number in [0, 1), a multiple of 2^-53, from two words. */
export function uniform(words: Words): number {
  return uint53(words) / TWO_53;
}

/**
 * Two independent numbers of the normal distribution with mean 0 and standard deviation 1, from an even number of uniform ones.
 * Needs no sine, whose last bit differs between builds of Node.
 *
 * Source: Marsaglia and Bray, "A convenient method for generating normal variables" (SIAM Review 1964), the polar method.
 */
export function normalPair(words: Words, log: (x: number) => number): readonly [number, number] {
  for (;;) {
    const x = 2 * uniform(words) - 1;
    const y = 2 * uniform(words) - 1;
    const square = x * x + y * y;
    if (square >= 1 || square === 0) continue;
    const scale = Math.sqrt((-2 * log(square)) / square);
    return [x * scale, y * scale];
  }
}

/** Puts the items in random order, in place. `below(bound)` gives an integer in [0, bound), each equally likely. */
export function shuffleBy(items: Shuffleable, below: (bound: number) => number): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = below(last + 1);
    const item = items[last];
    items[last] = items[other];
    items[other] = item;
  }
}

/**
 * The integers 0..count-1 in their order, to be shuffled.
 *
 * @param what who asks, for the error
 * @throws RangeError unless count is an integer in 0..2^32
 */
export function countedIndices(what: string, count: number): Uint32Array {
  if (!Number.isInteger(count) || count < 0 || count > TWO_32) {
    throw new RangeError(`${what}: permutation needs a count in 0..2^32, but got ${count}`);
  }
  const indices = new Uint32Array(count);
  for (let index = 0; index < count; index += 1) indices[index] = index;
  return indices;
}

export const TWO_32 = 2 ** 32;
export const TWO_53 = 2 ** 53;
