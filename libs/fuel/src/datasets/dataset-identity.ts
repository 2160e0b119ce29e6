import { createHash } from 'node:crypto';

import type { Json, NdArray } from '@longrun/serialization';

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
  const hash = createHash('sha256');
  for (const array of sample.values()) hash.update(bytesOf(array));
  return {
    examples: examplesCount,
    sources: [...sample].map(([source, { dtype, shape }]) => `${source} ${dtype} (${shape.slice(1).join(', ')})`),
    sample: hash.digest('hex').slice(0, 16),
  };
}

/** Indices of examples, the first and the last among them. */
function spread(examplesCount: number): Uint32Array {
  const count = Math.min(examplesCount, SAMPLED_EXAMPLES);
  if (count <= 1) return new Uint32Array(count);
  return Uint32Array.from({ length: count }, (_, i) => Math.floor((i * (examplesCount - 1)) / (count - 1)));
}

const SAMPLED_EXAMPLES = 16;
