export { exampleArray, type ExampleValue } from './arrays/example-array.js';
export {
  bytesOfText,
  denseIn,
  denseOf,
  dtypeOf,
  isRagged,
  ragged,
  textOf,
  withElements,
  type Column,
  type Columns,
  type Ragged,
} from './arrays/column.js';
export { joinRows, rowsOf, stackRows, takeRow, takeRows, type RowRange } from './arrays/rows.js';
export { checkPresent } from './converters/check-present.js';
export { checkEnoughSpace, diskUsage, type DiskUsage } from './converters/disk-space.js';
export { config, FuelConfiguration } from './configuration/config.js';
export { Configuration, type ConfigurationOptions, type Setting } from './configuration/configuration.js';
export { findInDataPath } from './configuration/find-in-data-path.js';
export {
  AxisLabelsMismatchError,
  ConfigurationError,
  CorruptInput,
  DownloadFailed,
  MissingInput,
  NotEnoughSpace,
  UnsuitableDataset,
} from './errors.js';

export { Dataset, type DatasetOptions } from './datasets/dataset.js';
export { drawnExamples, type DrawnExamples } from './datasets/drawn-examples.js';
export { H5Dataset, type H5DatasetOptions } from './datasets/h5-dataset.js';
export { IndexableDataset, type IndexableDatasetOptions } from './datasets/indexable-dataset.js';
export { IterableDataset, type ExampleSource } from './datasets/iterable-dataset.js';
export { LabelledSplits, type BatchesOptions, type LabelledFile } from './datasets/labelled-splits.js';
export { PytablesDataset, type PytablesDatasetOptions } from './datasets/pytables-dataset.js';
export { OneBillionWord, type OneBillionWordOptions } from './datasets/one-billion-word.js';
export { Spiral, type SpiralOptions } from './datasets/spiral.js';
export { Subset } from './datasets/subset.js';
export { SwissRoll } from './datasets/swiss-roll.js';
export { TextFile, type TextFileOptions } from './datasets/text-file.js';
export type { ToyOptions } from './datasets/toy-points.js';

export {
  describeH5Dataset,
  type DatasetDescription,
  type SourceDescription,
  type SplitDescription,
} from './hdf5/describe.js';
export type { SplitRange, SplitsToWrite } from './hdf5/dataset-to-write.js';
export { loadHdf5 } from './hdf5/library.js';
export type { H5Appender } from './hdf5/h5-appender.js';
export { writeH5Dataset, type WriteH5Options } from './hdf5/h5-writer.js';

export type { BatchSizeScheme, Examples, IterationScheme, Request } from './schemes/iteration-scheme.js';
export { BucketedScheme, type BucketedSchemeOptions } from './schemes/bucketed-scheme.js';
export { ConcatenatedScheme } from './schemes/concatenated-scheme.js';
export { ConstantScheme, type ConstantSchemeOptions } from './schemes/constant-scheme.js';
export { crossValidation, type CrossValidationOptions, type Fold } from './schemes/cross-validation.js';
export { KeyedShuffledExampleScheme } from './schemes/keyed-shuffled-example-scheme.js';
export { KeyedShuffledScheme, type KeyedShuffledSchemeOptions } from './schemes/keyed-shuffled-scheme.js';
export { SequentialExampleScheme } from './schemes/sequential-example-scheme.js';
export { SequentialScheme } from './schemes/sequential-scheme.js';
export { ShardedScheme } from './schemes/sharded-scheme.js';
export { ShuffledExampleScheme } from './schemes/shuffled-example-scheme.js';
export { ShuffledScheme, type ShuffledSchemeOptions } from './schemes/shuffled-scheme.js';
export { StratifiedScheme } from './schemes/stratified-scheme.js';
export { WeightedScheme, type WeightedSchemeOptions } from './schemes/weighted-scheme.js';
export { WindowShuffledScheme, type WindowShuffledSchemeOptions } from './schemes/window-shuffled-scheme.js';

export { DataStream, type StreamTransformation } from './streams/data-stream.js';
export { Delivery, type Batch, type Bookmark, type Place } from './streams/delivery.js';
export { iterateEpochs, remainingBatches } from './streams/iterate.js';
export { DatasetStream } from './streams/dataset-stream.js';
export { costText, type StageCost } from './streams/stage-costs.js';
export { serveMapping } from './streams/mapping-thread.js';
export { serveStream } from './streams/stream-thread.js';
export { ThreadStream, type ThreadStreamOptions } from './streams/thread-stream.js';
export type { StreamFactory } from './streams/thread-protocol.js';
export { IterableStream, type StreamedIterable } from './streams/iterable-stream.js';
export type { StreamedDataset } from './streams/streamed-dataset.js';

export { Batching, type BatchingOptions } from './transformers/batching.js';
export { Cache } from './transformers/cache.js';
export { Cast, type CastOptions } from './transformers/cast.js';
export { rgbImagesFromEncodedBytes, uint8PixelsToFloat } from './transformers/defaults.js';
export { ExpectsAxisLabels } from './transformers/expects-axis-labels.js';
export { Filter, type FilterPredicate } from './transformers/filter.js';
export { FilterSources } from './transformers/filter-sources.js';
export { Flatten } from './transformers/flatten.js';
export { ForceFloatX, type ForceFloatXOptions } from './transformers/force-float-x.js';
export { CenterCrop, RandomFixedSizeCrop, type FixedSizeCropOptions } from './transformers/image/crops.js';
export {
  ImageTransformer,
  RandomImageTransformer,
  type ImageRandomOptions,
} from './transformers/image/image-transformer.js';
export { ImagesFromBytes, type ImagesFromBytesOptions } from './transformers/image/images-from-bytes.js';
export {
  MinimumImageDimensions,
  type MinimumImageDimensionsOptions,
} from './transformers/image/minimum-image-dimensions.js';
export { RandomHorizontalFlip, type RandomHorizontalFlipOptions } from './transformers/image/random-flip.js';
export { Random2DRotation, type Random2DRotationOptions } from './transformers/image/random-rotation.js';
export { RandomColor, type RandomColorOptions } from './transformers/image/random-color.js';
export { Resize, type ResizeOptions } from './transformers/image/resize.js';
export type { Resampling } from './transformers/image/resample.js';
export type { ImageSize } from './transformers/image/windows.js';
export { Mapping, type MappingFunction, type MappingOptions } from './transformers/mapping.js';
export { Merge, type MergeOptions } from './transformers/merge.js';
export { NGrams, type NGramsOptions } from './transformers/n-grams.js';
export { Mixture, type MixtureOptions } from './transformers/mixture.js';
export { Padding, type PaddingOptions } from './transformers/padding.js';
export { ParallelMapping, type ParallelMappingOptions } from './transformers/parallel-mapping.js';
export { Prefetch } from './transformers/prefetch.js';
export { Rename, type RenameOptions } from './transformers/rename.js';
export { ScaleAndShift, type ScaleAndShiftOptions } from './transformers/scale-and-shift.js';
export { SortMapping, type SortKey, type SortMappingOptions } from './transformers/sort-mapping.js';
export { SourcewiseTransformer, Transformer, type TransformerOptions } from './transformers/transformer.js';
export { ToBytes } from './transformers/to-bytes.js';
export { Tokenizing, type TokenizingOptions } from './transformers/tokenizing.js';
export { Unpack } from './transformers/unpack.js';
export { Window, type WindowOptions } from './transformers/window.js';

export { BytePairTokenizer, type BytePairTokenizerOptions } from './text/byte-pair-tokenizer.js';
export type { Dictionary } from './text/dictionary.js';
export { DictionaryTokenizer, type DictionaryTokenizerOptions } from './text/dictionary-tokenizer.js';
export type { Tokenizer } from './text/tokenizer.js';

export type {
  Converter,
  ConverterParams,
  ConvertOptions,
  FileProgress,
  PublishedFiles,
  RequiredFile,
} from './converters/converter.js';
export type { BuiltInDataset } from './built-in/built-in-dataset.js';
export type { FuelMadeDataset } from './built-in/fuel-made-dataset.js';
export type { NamedDataset, OpenOptions } from './built-in/named-dataset.js';
export { adult } from './built-in/adult.js';
export { binarizedMnist } from './built-in/binarized-mnist.js';
export { calTech101Silhouettes } from './built-in/caltech101-silhouettes.js';
export { celebA } from './built-in/celeba.js';
export { cifar10 } from './built-in/cifar10.js';
export { cifar100 } from './built-in/cifar100.js';
export { dogsVsCats } from './built-in/dogs-vs-cats.js';
export { fashionMnist } from './built-in/fashion-mnist.js';
export { ilsvrc2010 } from './built-in/ilsvrc2010.js';
export { ilsvrc2012 } from './built-in/ilsvrc2012.js';
export { iris } from './built-in/iris.js';
export { mnist } from './built-in/mnist.js';
export { builtInDatasets, converters } from './built-in/registry.js';
export { svhn } from './built-in/svhn.js';
export { text } from './built-in/text.js';
export { youtubeAudio } from './built-in/youtube-audio.js';
export { download, type DownloadOptions } from './downloaders/download.js';
