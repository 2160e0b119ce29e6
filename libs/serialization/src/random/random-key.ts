import { createHash } from 'node:crypto';

/**
 * The key of one stage of a run, from which every random number of that stage follows, wherever and in whatever order it is asked
 * for.
 *
 * 64 bits of SHA-256 of seed and name: that two stages of a pipeline of a thousand share a key has a probability of 2^-45.
 */
export class RandomKey {
  readonly seed: number;
  readonly stage: string;
  /** The key of Philox4x32, the lower word first. */
  readonly words: readonly [number, number];

  /**
   * @param seed the experiment's, an integer in 0..2^53-1
   * @param stage what draws, such as `crop` or a path in the pipeline: any text
   * @throws RangeError for another seed
   */
  constructor(seed: number, stage: string) {
    checkSeed('RandomKey', seed);
    this.seed = seed;
    this.stage = stage;
    const digest = createHash('sha256')
      .update(JSON.stringify(['stage', seed, stage]))
      .digest();
    this.words = [digest.readUInt32LE(0), digest.readUInt32LE(4)];
  }
}

/** @throws RangeError unless the seed is an integer in 0..2^53-1. */
export function checkSeed(what: string, seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new RangeError(`${what}: seed is ${seed}; give an integer in 0..2^53-1`);
}

/** @throws RangeError unless the epoch is an integer in 0..2^32-1, as it is one word of the counter. */
export function checkEpoch(what: string, epoch: number): void {
  if (Number.isInteger(epoch) && epoch >= 0 && epoch < 2 ** 32) return;
  throw new RangeError(`${what}: epoch is ${epoch}; give an integer in 0..2^32-1`);
}
