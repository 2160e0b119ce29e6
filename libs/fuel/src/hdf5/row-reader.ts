import type { NdArray } from '@longrun/serialization';
import type { Column } from '../arrays/column.js';
import type { Memory } from '../arrays/memory.js';
import type { Request } from '../schemes/iteration-scheme.js';
import type { ChunkCache } from './chunk-cache.js';
import type { H5File } from './h5-file.js';
import type { ReadableSource } from './h5-source.js';
import { SequenceReader } from './sequence-reader.js';
import { SourceReader } from './source-reader.js';
import { TextReader } from './text-reader.js';

/** Reads rows of one source of a file, in any order. */
export interface RowReader {
  /** A row, without the first axis. */
  read(row: number, into?: Memory): NdArray;
  /**
   * Rows as a new array `(rows, ...)`, or ragged where they differ in shape.
   *
   * @param into where it lies. Default: in memory of its own
   * @throws CorruptInput when the file ends before them, or is damaged
   * @throws RangeError for more rows than one array can hold
   */
  read(rows: Request, into?: Memory): Column;
}

/** The reader that fits a source. @param cache Keeps what is decoded of chunked sources */
export function rowReader(file: H5File, source: ReadableSource, cache: ChunkCache): RowReader {
  if (!source.ragged) return new SourceReader(file, source, cache);
  const { type } = source;
  return type.class === 'text'
    ? new TextReader(file, source, type.padding, cache)
    : new SequenceReader(file, source, cache);
}
