import { join } from 'node:path';
import { ndarray } from '@longrun/serialization';
import { z } from 'zod';
import { readMatrices, type ByteMatrix } from '../converters/mat-file.js';
import { IMAGE_AXES, writeSplits, type SplitToConvert } from '../converters/write-splits.js';
import { CorruptInput } from '../errors.js';
import { builtInDataset } from './built-in-dataset.js';

/**
 * Outlines of the objects in Caltech 101 (Marlin, Swersky, Chen, de Freitas, 2010), 16 x 16 or 28 x 28 by `size`: `features` (examples, 1,
 * size, size) and `targets` (examples, 1), from 1 to 101, both uint8, with the splits `train`, `valid` and `test` (Fuel:
 * `caltech101_silhouettes`). Pixels are in the order of the file, which goes down columns, as Fuel leaves them. Nobody publishes checksums.
 */
export const calTech101Silhouettes = builtInDataset({
  name: 'caltech101_silhouettes',
  version: 1,
  params: z.strictObject({
    size: z.literal([16, 28]).default(28).meta({ description: 'Pixels of a side.' }),
  }),
  requiredFiles: ({ size }) => [{ name: fileOf(size), urls: [FOLDER + fileOf(size)] }],
  outputName: ({ size }) => `caltech101_silhouettes${size}.hdf5`,
  defaultTransformers: [],
  loadInMemory: true,
  write: async (inputFolder, outputPath, { params: { size }, command, onProgress, signal }) => {
    const file = join(inputFolder, fileOf(size));
    const matrix = await readMatrices(file, MATRICES);
    const splits = [
      splitOf('train', file, size, { images: matrix('train_data'), labels: matrix('train_labels') }),
      splitOf('valid', file, size, { images: matrix('val_data'), labels: matrix('val_labels') }),
      splitOf('test', file, size, { images: matrix('test_data'), labels: matrix('test_labels') }),
    ];
    const totalBytes = MATRICES.reduce((sum, name) => sum + matrix(name).data.length, 0);
    return await writeSplits(outputPath, splits, { axisLabels: IMAGE_AXES, command, totalBytes, onProgress, signal });
  },
});

const MATRICES = ['train_data', 'train_labels', 'val_data', 'val_labels', 'test_data', 'test_labels'] as const;
const FOLDER = 'https://people.cs.umass.edu/~marlin/data/';

function fileOf(size: number): string {
  return `caltech101_silhouettes_${size}_split1.mat`;
}

interface LabelledImages {
  readonly images: ByteMatrix;
  readonly labels: ByteMatrix;
}

function splitOf(name: string, file: string, size: number, { images, labels }: LabelledImages): SplitToConvert {
  const { rows, columns } = images;
  if (columns !== size * size) {
    throw new CorruptInput(
      file,
      `has images of ${columns} pixels in ${name}, but ${size} x ${size} are ${size * size}; give the file of that size`,
    );
  }
  if (labels.data.length !== rows)
    throw new CorruptInput(
      file,
      `has ${labels.data.length} labels for the ${rows} images of ${name}; download it again`,
    );
  return {
    name,
    file,
    batches: () => [
      {
        features: ndarray('uint8', [rows, 1, size, size], images.data),
        targets: ndarray('uint8', [rows, 1], labels.data),
      },
    ],
  };
}
