import { join } from 'node:path';
import { ndarray } from '@longrun/serialization';
import { CorruptInput } from '../errors.js';
import { describeH5Dataset, type DatasetDescription } from '../hdf5/describe.js';
import type { SplitRange } from '../hdf5/dataset-to-write.js';
import { writeH5Dataset } from '../hdf5/h5-writer.js';
import { inBlocks, inStep } from './blocks.js';
import { checkPresent } from './check-present.js';
import type { Converter, ConvertOptions, RequiredFile } from './converter.js';
import { openIdx, type IdxFile } from './idx.js';

/** Where a dataset in MNIST's four files is published. */
export interface MnistLike {
  readonly name: string;
  readonly version: number;
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
 * A converter of images with one of ten labels, in MNIST's four files, to `features` (examples, 1, height, width) and `targets`
 * (examples, 1), both uint8, with the splits `train` and `test` (Fuel: `convert_mnist`). Any numbers of examples, any size of images.
 */
export function mnistLike({ name, version, mirrors, sha256, repackedSha256 }: MnistLike): Converter {
  const requiredFiles = FILES.map((file): RequiredFile => ({
    name: file,
    sha256: sha256[file],
    ...(repackedSha256 !== undefined && { repackedSha256: repackedSha256[file] }),
    urls: mirrors.map((mirror) => mirror + file),
  }));
  return {
    name,
    version,
    requiredFiles,
    convert: async (inputFolder, outputPath, options = {}) => {
      options.signal?.throwIfAborted();
      await checkPresent({ name, requiredFiles }, inputFolder);
      return await convert(name, inputFolder, outputPath, options);
    },
  };
}

const FILES: readonly MnistFile[] = [
  'train-images-idx3-ubyte.gz',
  'train-labels-idx1-ubyte.gz',
  't10k-images-idx3-ubyte.gz',
  't10k-labels-idx1-ubyte.gz',
];
const CLASSES = 10;
const BLOCK_BYTES = 1 << 20;

async function convert(
  name: string,
  inputFolder: string,
  outputPath: string,
  { onProgress, signal }: ConvertOptions,
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
  checkCounts(train.images, train.labels);
  checkCounts(test.images, test.labels);
  const [trainCount = 0, height = 0, width = 0] = train.images.shape;
  const [testCount = 0, testHeight, testWidth] = test.images.shape;
  if (testHeight !== height || testWidth !== width) {
    throw new CorruptInput(
      test.images.path,
      `has images of ${testHeight} x ${testWidth}, but those of ${train.images.path} are ${height} x ${width}; take both from one dataset`,
    );
  }

  const count = trainCount + testCount;
  const totalBytes = count * (height * width + 1);
  const atOnce = Math.max(1, Math.floor(BLOCK_BYTES / (height * width)));
  let doneBytes = 0;
  await writeH5Dataset(
    outputPath,
    async (writer) => {
      for (const { images, labels } of [train, test]) {
        const pixelBlocks = inBlocks(images.elements(), atOnce * height * width);
        const labelBlocks = inBlocks(checkedLabels(labels), atOnce);
        for await (const [pixels, classes] of inStep(pixelBlocks, labelBlocks)) {
          signal?.throwIfAborted();
          await writer.append({
            features: ndarray('uint8', [classes.length, 1, height, width], pixels),
            targets: ndarray('uint8', [classes.length, 1], classes),
          });
          doneBytes += pixels.length + classes.length;
          onProgress?.({ file: images.path, doneBytes, totalBytes });
        }
      }
      return { train: bothSources(0, trainCount), test: bothSources(trainCount, count) };
    },
    {
      axisLabels: { features: ['batch', 'channel', 'height', 'width'], targets: ['batch', 'index'] },
      command: `longrun convert ${name}`,
    },
  );
  return describeH5Dataset(outputPath);
}

function bothSources(start: number, stop: number): Record<string, SplitRange> {
  return { features: { start, stop }, targets: { start, stop } };
}

function checkCounts(images: IdxFile, labels: IdxFile): void {
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
