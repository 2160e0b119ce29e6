import * as fc from 'fast-check';
import { expect } from 'vitest';

import { changes } from './byte-changes.js';

/** What reads bytes, whatever they are, or refuses them. */
export interface FuzzedReader {
  readonly read: (bytes: Buffer) => unknown;
  /** Whether it may refuse them so. */
  readonly mayRefuse: (error: Error) => boolean;
  /** What the largest buffer may be that it makes, in bytes, of fewer bytes than that. */
  readonly mostBytes: number;
}

/** Gives readers bytes that are none of what they read. Each has to read them, or to refuse them as it may, without making a buffer that is larger. */
export class Fuzzing {
  readonly #allocated: number[];

  /** @param allocated the sizes of all buffers, of `watchBuffers` */
  constructor(allocated: number[]) {
    this.#allocated = allocated;
  }

  /** Bytes that it reads, a few of them changed, cut out or put in. */
  async changed(reader: FuzzedReader, valid: readonly Buffer[]): Promise<void> {
    let refused = 0;
    const bytesAndChanges = [fc.constantFrom(...valid), fc.array(changes, { minLength: 1, maxLength: 4 })] as const;
    const isReadOrRefused = fc.asyncProperty(...bytesAndChanges, async (bytes, list) => {
      const changed = list.reduce<Buffer>((before, change) => change(before), bytes);
      if (!(await this.isRead(reader, changed))) refused += 1;
    });
    await fc.assert(isReadOrRefused, { seed: SEED, numRuns: RUNS });
    // What was changed has been looked at.
    expect(refused).toBeGreaterThan(RUNS / 10);
  }

  /** Bytes that are drawn. */
  async drawn(reader: FuzzedReader, bytes: fc.Arbitrary<Uint8Array>): Promise<void> {
    const isReadOrRefused = fc.asyncProperty(bytes, async (drawn) => {
      await this.isRead(reader, Buffer.from(drawn));
    });
    await fc.assert(isReadOrRefused, { seed: SEED, numRuns: RUNS / 2 });
  }

  /** Whether the bytes were read. @throws where they were refused otherwise than they may be, or more was allocated */
  async isRead({ read, mayRefuse, mostBytes }: FuzzedReader, bytes: Buffer): Promise<boolean> {
    this.#allocated.length = 0;
    let error: unknown;
    try {
      await read(bytes);
    } catch (caught) {
      error = caught;
    }
    expect(Math.max(0, ...this.#allocated)).toBeLessThanOrEqual(Math.max(bytes.byteLength, mostBytes));
    if (error === undefined) return true;
    if (error instanceof Error && mayRefuse(error)) return false;
    throw error;
  }
}

const RUNS = 400;
const SEED = 20_150_601;
