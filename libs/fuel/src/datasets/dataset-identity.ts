import { createHash } from 'node:crypto';

import type { Json } from '@longrun/serialization';

import { dtypeOf, isRagged, type Column } from '../arrays/column.js';
import { bytesOf } from '../arrays/rows.js';

/**
 * Tells datasets apart without reading them: how many examples, the dtype and shape of each source, and a checksum of up to 16 examples
 * that are spread over them. Two datasets that differ in others alone have one identity.
 *
 * @param read The columns of these examples by source
 */
export function identityOf(
  examplesCount: number,
  read: (examples: Uint32Array) => ReadonlyMap<string, Column>,
): { readonly [key: string]: Json } {
  const sample = read(spread(examplesCount));
  return {
    examples: examplesCount,
    sources: [...sample].map(([source, column]) =>
      describedSource(source, column, isRagged(column) ? 'ragged' : column.shape.slice(1).join(', ')),
    ),
    sample: checksumOf(sample.values()),
  };
}

/** A source, and dtype and shape of an example of it. */
export function describedSource(source: string, column: Column, shape: string): string {
  return `${source} ${dtypeOf(column)} (${shape})`;
}

/** Of the elements of columns, and of the shapes of their rows where they are ragged. */
export function checksumOf(columns: Iterable<Column>): string {
  const hash = createHash('sha256');
  for (const column of columns) {
    for (const array of isRagged(column) ? [column.values, column.shapes] : [column]) hash.update(bytesOf(array));
  }
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
