import { join } from 'node:path';
import { ndarray } from '@longrun/serialization';
import { z } from 'zod';
import { tarFiles } from '../converters/tar.js';
import { IMAGE_AXES, writeSplits, type SplitToConvert } from '../converters/write-splits.js';
import { CorruptInput } from '../errors.js';
import { uint8PixelsToFloat } from '../transformers/defaults.js';
import { builtInDataset } from './built-in-dataset.js';

/**
 * CIFAR-10 (Krizhevsky, 2009): `features` (60000, 3, 32, 32) and `targets` (60000, 1), both uint8, in ten classes, with the splits `train`
 * 50000 and `test` 10000 (Fuel: `cifar10`). It is read from the binary version, which has the same images in the same order as the one
 * for Python, and is data alone. A conversion holds all of it in memory, 184 MB.
 */
export const cifar10 = builtInDataset({
  name: 'cifar10',
  version: 1,
  params: z.strictObject({}),
  requiredFiles: () => [
    {
      name: ARCHIVE,
      sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
      urls: [`https://www.cs.toronto.edu/~kriz/${ARCHIVE}`],
    },
  ],
  outputName: () => 'cifar10.hdf5',
  defaultTransformers: uint8PixelsToFloat(['features']),
  loadInMemory: true,
  write: async (inputFolder, outputPath, { command, onProgress, signal }) => {
    const path = join(inputFolder, ARCHIVE);
    const parts = new Map<string, Buffer>();
    for await (const { name, bytes } of tarFiles(path, (file) => FILES.includes(file), MOST_BYTES)) {
      signal?.throwIfAborted();
      parts.set(name, checked(path, name, bytes));
    }
    const missing = FILES.filter((name) => !parts.has(name));
    if (missing.length > 0) throw new CorruptInput(path, `lacks ${missing.join(', ')}; download it again`);
    const splits = [splitOf('train', path, TRAIN, parts), splitOf('test', path, TEST, parts)];
    const totalBytes = [...parts.values()].reduce((sum, { length }) => sum + length, 0);
    return await writeSplits(outputPath, splits, { axisLabels: IMAGE_AXES, command, totalBytes, onProgress, signal });
  },
});

const ARCHIVE = 'cifar-10-binary.tar.gz';
const FOLDER = 'cifar-10-batches-bin';
const TRAIN = [1, 2, 3, 4, 5].map((batch) => `${FOLDER}/data_batch_${batch}.bin`);
const TEST = [`${FOLDER}/test_batch.bin`];
const FILES = [...TRAIN, ...TEST];
const SIDE = 32;
const PIXELS = 3 * SIDE * SIDE;
/** A label, and the pixels of red, green and blue. */
const EXAMPLE_BYTES = 1 + PIXELS;
const MOST_BYTES = 10_000 * EXAMPLE_BYTES;
const CLASSES = 10;

function checked(path: string, name: string, bytes: Buffer): Buffer {
  if (bytes.length === 0 || bytes.length % EXAMPLE_BYTES !== 0) {
    throw new CorruptInput(
      path,
      `has ${name} of ${bytes.length} bytes, which is no number of examples of ${EXAMPLE_BYTES}; download it again`,
    );
  }
  for (let at = 0; at < bytes.length; at += EXAMPLE_BYTES) {
    const label = bytes.readUInt8(at);
    if (label < CLASSES) continue;
    throw new CorruptInput(
      path,
      `has the label ${label} for example ${at / EXAMPLE_BYTES} of ${name}, but labels go from 0 to ${CLASSES - 1}; download it again`,
    );
  }
  return bytes;
}

function splitOf(
  name: string,
  file: string,
  files: readonly string[],
  parts: ReadonlyMap<string, Buffer>,
): SplitToConvert {
  return {
    name,
    file,
    *batches() {
      for (const part of files) {
        const bytes = parts.get(part) ?? Buffer.alloc(0);
        const count = bytes.length / EXAMPLE_BYTES;
        const features = new Uint8Array(count * PIXELS);
        const targets = new Uint8Array(count);
        for (let example = 0; example < count; example += 1) {
          const start = example * EXAMPLE_BYTES;
          targets[example] = bytes.readUInt8(start);
          features.set(bytes.subarray(start + 1, start + EXAMPLE_BYTES), example * PIXELS);
        }
        yield {
          features: ndarray('uint8', [count, 3, SIDE, SIDE], features),
          targets: ndarray('uint8', [count, 1], targets),
        };
      }
    },
  };
}
