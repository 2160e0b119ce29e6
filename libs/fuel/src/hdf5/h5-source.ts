import type { DType } from '@longrun/serialization';
import { UnsuitableDataset } from '../errors.js';
import type { ChunkIndex } from './chunk-index.js';
import type { Datatype } from './datatype.js';
import type { Extent } from './object-header.js';
import type { StoredLayout } from './tiles.js';

/** A source as it lies in a file. */
export interface H5Source extends StoredLayout {
  readonly name: string;
  /** Of the values; null for what a column cannot hold, as float16. */
  readonly dtype: DType | null;
  /** Of an element in the file. */
  readonly type: Datatype;
  /** Whether rows may differ in shape: sequences of variable length, and text, as uint8. */
  readonly ragged: boolean;
  /** The dataset that has the shapes of its rows; null when they have one shape, or one axis. */
  readonly shapes: H5Source | null;
  /** Why it cannot be read, and what to do, as the rest of a sentence; null when it can. */
  readonly problem: string | null;
  /** What the axes mean; an axis without a label has the empty string. */
  readonly axisLabels: readonly string[];
  /** Where its bytes lie in one piece, as an array has them; undefined when they do not. */
  readonly extent: Extent | undefined;
  /** Where its chunks are, if elements of variable length are in some; undefined of all else, which the library finds. */
  readonly chunkIndex: ChunkIndex | undefined;
}

/** A source that can be read. */
export interface ReadableSource extends H5Source {
  readonly dtype: DType;
}

/** A source of the file at `path` that is to be read. @throws UnsuitableDataset when it cannot be, saying why and what to do */
export function readable(path: string, source: H5Source): ReadableSource {
  const { name, dtype, problem } = source;
  if (dtype !== null && problem === null) return { ...source, dtype };
  throw new UnsuitableDataset(
    `${path}: the source ${name} cannot be read: ${problem}; or ask for the other sources by name`,
  );
}
