import type { ChunkCache } from './chunk-cache.js';
import type { ReadableSource } from './h5-source.js';
import type { OpenHdf5 } from './open-hdf5.js';
import type { RowReader } from './row-reader.js';
import { SequenceReader } from './sequence-reader.js';
import { SourceReader } from './source-reader.js';
import { TextReader } from './text-reader.js';

/** The reader that fits a source. @param cache Keeps what is decoded of chunked sources */
export function readerOf(file: OpenHdf5, source: ReadableSource, cache: ChunkCache): RowReader {
  if (!source.ragged) return new SourceReader(file, source, cache);
  const { type } = source;
  return type.class === 'text'
    ? new TextReader(file, source, type.padding, cache)
    : new SequenceReader(file, source, cache);
}
