import type { NdArray } from '@longrun/serialization';
import type { Batch } from '../streams/data-stream.js';

/**
 * One batch of several batches or examples.
 *
 * @param join makes one array of those of a source
 * @throws TypeError for a part without one of the sources
 */
export function putTogether(
  parts: readonly Batch[],
  sources: readonly string[],
  join: (arrays: readonly NdArray[], source: string) => NdArray,
): Batch {
  const arrays = new Map<string, NdArray>();
  for (const source of sources) arrays.set(source, join(parts.map(arrayOf(source)), source));
  return { arrays };
}

function arrayOf(source: string): (part: Batch) => NdArray {
  return ({ arrays }) => {
    const array = arrays.get(source);
    if (array !== undefined) return array;
    throw new TypeError(
      `${source}: batches cannot be put together, as one has ${[...arrays.keys()].join(', ') || 'no arrays'} only; ` +
        'let the stream give all of its sources',
    );
  };
}
