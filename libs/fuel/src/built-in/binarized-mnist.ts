import { join } from 'node:path';
import { ndarray } from '@longrun/serialization';
import { z } from 'zod';
import { binaryRows } from '../converters/amat.js';
import { IMAGE_AXES, writeSplits, type SplitToConvert } from '../converters/write-splits.js';
import { builtInDataset } from './built-in-dataset.js';

/**
 * MNIST in black and white (Salakhutdinov, Murray, 2008): `features` (70000, 1, 28, 28) uint8, 0 or 1, without labels, with the splits
 * `train` 50000, `valid` 10000 and `test` 10000 (Fuel: `binarized_mnist`). Nobody publishes checksums of its files.
 */
export const binarizedMnist = builtInDataset({
  name: 'binarized_mnist',
  version: 1,
  params: z.strictObject({}),
  requiredFiles: () => SPLITS.map((split) => ({ name: fileOf(split), urls: [FOLDER + fileOf(split)] })),
  outputName: () => 'binarized_mnist.hdf5',
  defaultTransformers: [],
  loadInMemory: true,
  write: async (inputFolder, outputPath, { command, onProgress, signal }) =>
    await writeSplits(
      outputPath,
      SPLITS.map((name) => splitOf(name, join(inputFolder, fileOf(name)))),
      { axisLabels: { features: IMAGE_AXES.features }, command, totalBytes: null, onProgress, signal },
    ),
});

const SPLITS = ['train', 'valid', 'test'] as const;
const FOLDER = 'http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/';
const SIDE = 28;

function fileOf(split: (typeof SPLITS)[number]): string {
  return `binarized_mnist_${split}.amat`;
}

function splitOf(name: string, file: string): SplitToConvert {
  return {
    name,
    file,
    async *batches() {
      for await (const rows of binaryRows(file, SIDE * SIDE))
        yield { features: ndarray('uint8', [rows.length / (SIDE * SIDE), 1, SIDE, SIDE], rows) };
    },
  };
}
