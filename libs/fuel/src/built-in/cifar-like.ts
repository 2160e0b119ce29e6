import { join } from 'node:path';
import { ndarray, type NdArray } from '@longrun/serialization';
import { z } from 'zod';
import { tarFiles } from '../converters/tar.js';
import { IMAGE_AXES, writeSplits, type SplitToConvert } from '../converters/write-splits.js';
import { CorruptInput } from '../errors.js';
import { uint8PixelsToFloat } from '../transformers/defaults.js';
import { builtInDataset, type BuiltInDataset } from './built-in-dataset.js';

/** What the two datasets of CIFAR differ in. */
export interface CifarDefinition {
  readonly name: string;
  /** The archive of the binary version. */
  readonly archive: string;
  readonly sha256: string;
  /** The files of each split, in the order of its examples; an example is its labels, and the pixels of red, green and blue. */
  readonly files: Readonly<Record<'train' | 'test', readonly string[]>>;
  /** The labels of an example, a byte each: the source that each becomes, and its classes. */
  readonly labels: readonly { readonly source: string; readonly classes: number }[];
}

/** Images in colour of 32 x 32, with labels, as they are published for C. A conversion holds all of them in memory, 184 MB. */
export function cifarLike(definition: CifarDefinition): BuiltInDataset<Record<string, never>> {
  const { name, archive, sha256, files, labels } = definition;
  const all = [...files.train, ...files.test];
  return builtInDataset({
    name,
    version: 1,
    params: z.strictObject({}),
    requiredFiles: () => [{ name: archive, sha256, urls: [`https://www.cs.toronto.edu/~kriz/${archive}`] }],
    outputName: () => `${name}.hdf5`,
    defaultTransformers: uint8PixelsToFloat(['features']),
    loadInMemory: true,
    write: async (inputFolder, outputPath, { command, onProgress, signal }) => {
      const path = join(inputFolder, archive);
      const parts = new Map<string, Buffer>();
      const mostBytes = (TRAIN_EXAMPLES / files.train.length) * exampleBytes(definition);
      for await (const part of tarFiles(path, (file) => all.includes(file), mostBytes)) {
        signal?.throwIfAborted();
        parts.set(part.name, checked(path, part.name, part.bytes, definition));
      }
      const missing = all.filter((file) => !parts.has(file));
      if (missing.length > 0) throw new CorruptInput(path, `lacks ${missing.join(', ')}; download it again`);
      const splits = Object.entries(files).map(([split, names]) => splitOf(split, path, names, parts, definition));
      const totalBytes = [...parts.values()].reduce((sum, { length }) => sum + length, 0);
      const axes = Object.fromEntries(labels.map(({ source }) => [source, IMAGE_AXES.targets]));
      const axisLabels = { features: IMAGE_AXES.features, ...axes };
      return await writeSplits(outputPath, splits, { axisLabels, command, totalBytes, onProgress, signal });
    },
  });
}

const SIDE = 32;
const PIXELS = 3 * SIDE * SIDE;
const TRAIN_EXAMPLES = 50_000;

function exampleBytes({ labels }: CifarDefinition): number {
  return labels.length + PIXELS;
}

function checked(path: string, name: string, bytes: Buffer, definition: CifarDefinition): Buffer {
  const size = exampleBytes(definition);
  if (bytes.length === 0 || bytes.length % size !== 0) {
    throw new CorruptInput(
      path,
      `has ${name} of ${bytes.length} bytes, which is no number of examples of ${size}; download it again`,
    );
  }
  for (let at = 0; at < bytes.length; at += size) {
    for (const [byte, { source, classes }] of definition.labels.entries()) {
      const label = bytes.readUInt8(at + byte);
      if (label < classes) continue;
      throw new CorruptInput(
        path,
        `has the label ${label} in ${source} for example ${at / size} of ${name}, but labels go from 0 to ${classes - 1}; download it again`,
      );
    }
  }
  return bytes;
}

function splitOf(
  name: string,
  file: string,
  files: readonly string[],
  parts: ReadonlyMap<string, Buffer>,
  definition: CifarDefinition,
): SplitToConvert {
  const { labels } = definition;
  const size = exampleBytes(definition);
  return {
    name,
    file,
    *batches() {
      for (const part of files) {
        const bytes = parts.get(part) ?? Buffer.alloc(0);
        const count = bytes.length / size;
        const features = new Uint8Array(count * PIXELS);
        for (let example = 0; example < count; example += 1) {
          const start = example * size + labels.length;
          features.set(bytes.subarray(start, start + PIXELS), example * PIXELS);
        }
        const batch: Record<string, NdArray> = { features: ndarray('uint8', [count, 3, SIDE, SIDE], features) };
        for (const [byte, { source }] of labels.entries()) {
          const targets = Uint8Array.from({ length: count }, (_, example) => bytes.readUInt8(example * size + byte));
          batch[source] = ndarray('uint8', [count, 1], targets);
        }
        yield batch;
      }
    },
  };
}
