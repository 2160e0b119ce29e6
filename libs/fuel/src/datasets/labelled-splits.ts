import type { DType, RandomStream } from '@longrun/serialization';
import { denseIn } from '../arrays/column.js';
import { UnsuitableDataset } from '../errors.js';
import { describeH5Dataset, type DatasetDescription, type SourceDescription } from '../hdf5/describe.js';
import { SequentialScheme } from '../schemes/sequential-scheme.js';
import { ShuffledScheme } from '../schemes/shuffled-scheme.js';
import type { DataStream } from '../streams/data-stream.js';
import { DatasetStream } from '../streams/dataset-stream.js';
import { uint8PixelsToFloat } from '../transformers/defaults.js';
import { H5Dataset } from './h5-dataset.js';

/** A file of labelled examples. */
export interface LabelledFile {
  /** An HDF5 file in Fuel's layout. */
  readonly path: string;
  /** What it is called in errors. Default: its path. */
  readonly name?: string;
}

/** How batches of a split come. */
export interface BatchesOptions {
  /** Examples in a batch; the last one of an epoch may have fewer. */
  readonly batchSize: number;
  /** Draws another order for each epoch. Default: the order of the file. */
  readonly shuffle?: RandomStream;
}

/**
 * The splits of an HDF5 file of labelled examples: sources `features` `(batch, ...)`, uint8 pixels or float32, and `targets` `(batch, 1)`, the
 * number of the class of each example.
 */
export class LabelledSplits {
  /** What the file is called in errors. */
  readonly name: string;
  /** Sizes of an example's axes: 1, 28, 28 for images of one channel and 28 x 28. */
  readonly exampleShape: readonly number[];
  /** Values of an example: 784 for images of 28 x 28. */
  readonly exampleSize: number;
  /** One more than the largest class in any split. */
  readonly classesCount: number;
  readonly targetsDtype: DType;
  readonly #path: string;
  readonly #description: DatasetDescription;

  private constructor(file: LabelledFile, description: DatasetDescription, { features, targets }: LabelledSources) {
    this.name = file.name ?? file.path;
    this.exampleShape = features.shape.slice(1);
    this.exampleSize = this.exampleShape.reduce((product, size) => product * size, 1);
    this.classesCount = targets.classesCount;
    this.targetsDtype = targets.dtype;
    this.#path = file.path;
    this.#description = description;
  }

  /**
   * @throws UnsuitableDataset for a file without such sources, saying which it has
   * @throws MissingInput, CorruptInput as `H5Dataset.open`
   */
  static async open(file: LabelledFile): Promise<LabelledSplits> {
    const description = await describeH5Dataset(file.path);
    const called = file.name ?? file.path;
    const features = sourceOf(description, 'features', called);
    for (const { name, ragged } of [features, sourceOf(description, 'targets', called)]) {
      if (!ragged) continue;
      throw new UnsuitableDataset(`${called}: the rows of ${name} differ in shape; give a dataset where all have one`);
    }
    if (features.dtype !== 'uint8' && features.dtype !== 'float32') {
      throw new UnsuitableDataset(`${called}: the features are ${features.dtype}; give uint8 (0 to 255) or float32`);
    }
    const { dtype, shape } = sourceOf(description, 'targets', called);
    if (dtype === null || dtype.startsWith('float') || shape.slice(1).some((size) => size !== 1)) {
      throw new UnsuitableDataset(
        `${called}: the targets are ${dtype} of shape (${shape.join(', ')}); give one class number for each example`,
      );
    }
    const classesCount = 1 + (await largestClass(file.path, description));
    return new LabelledSplits(file, description, { features, targets: { dtype, classesCount } });
  }

  /**
   * Batches of a split, `features` as float32: what was uint8 pixels is from 0 to 1. A small file is read into memory.
   *
   * @throws UnsuitableDataset for a split that is not there, listing those that are
   */
  async batches(split: string, { batchSize, shuffle }: BatchesOptions): Promise<DataStream> {
    const { sizeBytes, splits } = this.#description;
    if (!splits.some(({ name }) => name === split)) {
      const there = splits.map(({ name }) => name).join(', ');
      throw new UnsuitableDataset(`${this.name} has no split ${split}, only ${there}; give a dataset with it`);
    }
    const dataset = await H5Dataset.open(this.#path, {
      whichSets: [split],
      sources: ['features', 'targets'],
      loadInMemory: sizeBytes <= IN_MEMORY_BYTES,
      defaultTransformers: this.#hasPixels ? uint8PixelsToFloat(['features']) : [],
    });
    const scheme =
      shuffle === undefined
        ? new SequentialScheme(dataset.examplesCount, batchSize)
        : new ShuffledScheme(dataset.examplesCount, batchSize, { random: shuffle });
    return DatasetStream.defaultStream(dataset, scheme);
  }

  get #hasPixels(): boolean {
    return sourceOf(this.#description, 'features', this.name).dtype === 'uint8';
  }
}

const IN_MEMORY_BYTES = 256 * 2 ** 20;

interface LabelledSources {
  readonly features: SourceDescription;
  readonly targets: { readonly dtype: DType; readonly classesCount: number };
}

function sourceOf({ sources }: DatasetDescription, name: string, called: string): SourceDescription {
  const found = sources.find((source) => source.name === name);
  if (found !== undefined) return found;
  throw new UnsuitableDataset(
    `${called} has no source ${name}, only ${sources.map((source) => source.name).join(', ')}; give a dataset with features and targets`,
  );
}

async function largestClass(path: string, { splits }: DatasetDescription): Promise<number> {
  const whichSets = splits.filter(({ sources }) => sources.includes('targets')).map(({ name }) => name);
  const targets = await H5Dataset.open(path, { whichSets, sources: ['targets'], loadInMemory: true });
  const { columns } = await targets.getData({ start: 0, stop: targets.examplesCount });
  let largest = -1;
  for (const label of denseIn(columns, 'targets', path).data) largest = Math.max(largest, Number(label));
  return largest;
}
