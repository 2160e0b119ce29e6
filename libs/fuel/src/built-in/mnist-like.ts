import { join } from 'node:path';
import { ndarray } from '@longrun/serialization';
import { z } from 'zod';
import { inBlocks, inStep } from '../converters/blocks.js';
import type { ConvertOptions, RequiredFile } from '../converters/converter.js';
import { openIdx, type IdxFile } from '../converters/idx.js';
import { IMAGE_AXES, writeSplits, type SplitToConvert } from '../converters/write-splits.js';
import { CorruptInput } from '../errors.js';
import type { DatasetDescription } from '../hdf5/describe.js';
import { uint8PixelsToFloat } from '../transformers/defaults.js';
import { builtInDataset, type BuiltInDataset } from './built-in-dataset.js';

/** Where a dataset in MNIST's four files is published. */
export interface MnistLike {
  readonly name: string;
  readonly version: number;
  /** Name of its file. */
  readonly outputName: string;
  /** Folders that have the files, with a slash at the end; tried in this order. */
  readonly mirrors: readonly string[];
  /** SHA-256 of the four files as published. */
  readonly sha256: Readonly<Record<MnistFile, string>>;
  /** SHA-256 of the four files as another distribution packs them. Default: none does. */
  readonly repackedSha256?: Readonly<Record<MnistFile, string>>;
}

/** The files of MNIST and of the datasets that take its place. */
export type MnistFile =
  | 'train-images-idx3-ubyte.gz'
  | 'train-labels-idx1-ubyte.gz'
  | 't10k-images-idx3-ubyte.gz'
  | 't10k-labels-idx1-ubyte.gz';

/**
 * A dataset of images with one of ten labels, in MNIST's four files: `features` (examples, 1, height, width) and `targets`
 * (examples, 1), both uint8, with the splits `train` and `test` (Fuel: `convert_mnist`). Any numbers of examples, any size of images.
 */
export function mnistLike({
  mirrors,
  sha256,
  repackedSha256,
  outputName,
  ...named
}: MnistLike): BuiltInDataset<Record<string, never>> {
  const requiredFiles = FILES.map((file): RequiredFile => ({
    name: file,
    sha256: sha256[file],
    ...(repackedSha256 !== undefined && { repackedSha256: repackedSha256[file] }),
    urls: mirrors.map((mirror) => mirror + file),
  }));
  return builtInDataset({
    ...named,
    params: z.strictObject({}),
    requiredFiles: () => requiredFiles,
    outputName: () => outputName,
    defaultTransformers: uint8PixelsToFloat(['features']),
    loadInMemory: true,
    write,
  });
}

const FILES: readonly MnistFile[] = [
  'train-images-idx3-ubyte.gz',
  'train-labels-idx1-ubyte.gz',
  't10k-images-idx3-ubyte.gz',
  't10k-labels-idx1-ubyte.gz',
];
const CLASSES = 10;
const BLOCK_BYTES = 1 << 20;

async function write(
  inputFolder: string,
  outputPath: string,
  { command, onProgress, signal }: ConvertOptions & { readonly command: string },
): Promise<DatasetDescription> {
  const open = (file: MnistFile, rank: number): Promise<IdxFile> => openIdx(join(inputFolder, file), rank);
  const train = {
    images: await open('train-images-idx3-ubyte.gz', 3),
    labels: await open('train-labels-idx1-ubyte.gz', 1),
  };
  const test = {
    images: await open('t10k-images-idx3-ubyte.gz', 3),
    labels: await open('t10k-labels-idx1-ubyte.gz', 1),
  };
  checkCounts(train);
  checkCounts(test);
  const [trainCount = 0, height = 0, width = 0] = train.images.shape;
  const [testCount = 0, testHeight, testWidth] = test.images.shape;
  if (testHeight !== height || testWidth !== width) {
    throw new CorruptInput(
      test.images.path,
      `has images of ${testHeight} x ${testWidth}, but those of ${train.images.path} are ${height} x ${width}; take both from one dataset`,
    );
  }
  const totalBytes = (trainCount + testCount) * (height * width + 1);
  const splits = [splitOf('train', train), splitOf('test', test)];
  return writeSplits(outputPath, splits, { axisLabels: IMAGE_AXES, command, totalBytes, onProgress, signal });
}

interface LabelledImages {
  readonly images: IdxFile;
  readonly labels: IdxFile;
}

function splitOf(name: string, { images, labels }: LabelledImages): SplitToConvert {
  const [, height = 0, width = 0] = images.shape;
  const atOnce = Math.max(1, Math.floor(BLOCK_BYTES / (height * width)));
  return {
    name,
    file: images.path,
    async *batches() {
      const pixelBlocks = inBlocks(images.elements(), atOnce * height * width);
      const labelBlocks = inBlocks(checkedLabels(labels), atOnce);
      for await (const [pixels, classes] of inStep(pixelBlocks, labelBlocks)) {
        yield {
          features: ndarray('uint8', [classes.length, 1, height, width], pixels),
          targets: ndarray('uint8', [classes.length, 1], classes),
        };
      }
    },
  };
}

function checkCounts({ images, labels }: LabelledImages): void {
  if (images.shape[0] === labels.shape[0]) return;
  throw new CorruptInput(
    labels.path,
    `has ${labels.shape[0]} labels, but ${images.path} has ${images.shape[0]} images; take both from one dataset`,
  );
}

async function* checkedLabels({ path, elements }: IdxFile): AsyncGenerator<Buffer, void, undefined> {
  let seen = 0;
  for await (const piece of elements()) {
    const wrong = piece.findIndex((label) => label >= CLASSES);
    if (wrong !== -1) {
      throw new CorruptInput(
        path,
        `has the label ${piece[wrong]} for example ${seen + wrong}, but labels go from 0 to ${CLASSES - 1}; download it again`,
      );
    }
    yield piece;
    seen += piece.length;
  }
}
