import { createHash } from 'node:crypto';

import type { DType, Json, NdArray } from '@longrun/serialization';

import { bytesOf } from '../arrays/rows.js';

/**
 * Tells datasets apart without reading them: how many examples, the dtype and shape of each source, and a checksum of up to 16 examples
 * that are spread over them. Two datasets that differ in others alone have one identity.
 *
 * @param read The arrays of these examples by source, `(examples, ...)` each
 */
export function identityOf(
  examplesCount: number,
  read: (examples: Uint32Array) => ReadonlyMap<string, NdArray>,
): { readonly [key: string]: Json } {
  const sample = read(spread(examplesCount));
  return {
    examples: examplesCount,
    sources: [...sample].map(([source, { dtype, shape }]) => describedSource(source, dtype, shape.slice(1))),
    sample: checksumOf(sample.values()),
  };
}

/** A source, and dtype and shape of an example of it. */
export function describedSource(source: string, dtype: DType, shape: readonly number[]): string {
  return `${source} ${dtype} (${shape.join(', ')})`;
}

/** Of the elements of arrays. */
export function checksumOf(arrays: Iterable<NdArray>): string {
  const hash = createHash('sha256');
  for (const array of arrays) hash.update(bytesOf(array));
  return hash.digest('hex').slice(0, 16);
}

/**
 * The length that all sources have.
 *
 * @throws RangeError naming the lengths when they differ
 */
export function commonLength(what: string, lengths: ReadonlyMap<string, number>): number {
  const [length = 0, ...others] = lengths.values();
  if (others.every((other) => other === length)) return length;
  throw new RangeError(
    `${what}: the sources have different lengths: ${[...lengths].map(([source, count]) => `${source} ${count}`).join(', ')}`,
  );
}

/** Indices of up to 16 examples, the first and the last among them. */
export function spread(examplesCount: number): Uint32Array {
  const count = Math.min(examplesCount, SAMPLED_EXAMPLES);
  if (count <= 1) return new Uint32Array(count);
  return Uint32Array.from({ length: count }, (_, i) => Math.floor((i * (examplesCount - 1)) / (count - 1)));
}

const SAMPLED_EXAMPLES = 16;
