export { exampleArray, type ExampleValue } from './arrays/example-array.js';
export type { RowRange } from './arrays/rows.js';
export { checkPresent } from './converters/check-present.js';
export { CorruptInput, DownloadFailed, MissingInput, UnsuitableDataset } from './errors.js';

export { Dataset, type DatasetOptions } from './datasets/dataset.js';
export { H5Dataset, type H5DatasetOptions } from './datasets/h5-dataset.js';
export { IndexableDataset } from './datasets/indexable-dataset.js';
export { IterableDataset, type ExampleSource } from './datasets/iterable-dataset.js';
export { LabelledSplits, type BatchesOptions, type LabelledFile } from './datasets/labelled-splits.js';

export {
  describeH5Dataset,
  type DatasetDescription,
  type SourceDescription,
  type SplitDescription,
} from './hdf5/describe.js';
export type { SplitRange, SplitsToWrite } from './hdf5/dataset-to-write.js';
export { loadHdf5 } from './hdf5/library.js';
export { writeH5Dataset, type H5Appender, type WriteH5Options } from './hdf5/h5-writer.js';

export type { BatchSizeScheme, Examples, IterationScheme, Request } from './schemes/iteration-scheme.js';
export { ConcatenatedScheme } from './schemes/concatenated-scheme.js';
export { ConstantScheme, type ConstantSchemeOptions } from './schemes/constant-scheme.js';
export { KeyedShuffledExampleScheme } from './schemes/keyed-shuffled-example-scheme.js';
export { KeyedShuffledScheme, type KeyedShuffledSchemeOptions } from './schemes/keyed-shuffled-scheme.js';
export { SequentialExampleScheme } from './schemes/sequential-example-scheme.js';
export { SequentialScheme } from './schemes/sequential-scheme.js';
export { ShuffledExampleScheme } from './schemes/shuffled-example-scheme.js';
export { ShuffledScheme, type ShuffledSchemeOptions } from './schemes/shuffled-scheme.js';

export { remainingBatches, type Batch, type DataStream, type StreamTransformation } from './streams/data-stream.js';
export { DatasetStream } from './streams/dataset-stream.js';
export { IterableStream } from './streams/iterable-stream.js';

export { Batching, type BatchingOptions } from './transformers/batching.js';
export { Cache } from './transformers/cache.js';
export { Cast, type CastOptions } from './transformers/cast.js';
export { uint8PixelsToFloat } from './transformers/defaults.js';
export { FilterSources } from './transformers/filter-sources.js';
export { Flatten } from './transformers/flatten.js';
export { Mapping, type MappingOptions } from './transformers/mapping.js';
export { Rename, type RenameOptions } from './transformers/rename.js';
export { ScaleAndShift, type ScaleAndShiftOptions } from './transformers/scale-and-shift.js';
export { SourcewiseTransformer, Transformer } from './transformers/transformer.js';
export { Unpack } from './transformers/unpack.js';

export type { Converter, ConvertOptions, FileProgress, RequiredFile } from './converters/converter.js';
export { converters } from './converters/registry.js';
export { download, type DownloadOptions } from './downloaders/download.js';
