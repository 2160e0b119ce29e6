import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ndarray } from '@longrun/serialization';
import { z } from 'zod';
import { writeSplits } from '../converters/write-splits.js';
import { CorruptInput } from '../errors.js';
import { builtInDataset } from './built-in-dataset.js';

/**
 * Fisher's irises (1936): `features` (150, 4) float32, length and width of sepal and petal in cm, and `targets` (150, 1) uint8: setosa 0,
 * versicolor 1, virginica 2. One split, `all` (Fuel: `iris`).
 */
export const iris = builtInDataset({
  name: 'iris',
  version: 1,
  params: z.strictObject({}),
  requiredFiles: () => [
    {
      name: FILE,
      sha256: '6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0',
      urls: [`https://archive.ics.uci.edu/ml/machine-learning-databases/iris/${FILE}`],
    },
  ],
  outputName: () => 'iris.hdf5',
  defaultTransformers: [],
  loadInMemory: true,
  write: async (inputFolder, outputPath, { command, onProgress, signal }) => {
    const file = join(inputFolder, FILE);
    const { features, targets } = await readFlowers(file);
    const count = targets.length;
    const batch = {
      features: ndarray('float32', [count, MEASURES], Float32Array.from(features)),
      targets: ndarray('uint8', [count, 1], Uint8Array.from(targets)),
    };
    return await writeSplits(outputPath, [{ name: 'all', file, batches: () => [batch] }], {
      axisLabels: { features: ['batch', 'feature'], targets: ['batch', 'index'] },
      command,
      totalBytes: 4 * features.length + count,
      onProgress,
      signal,
    });
  },
});

const FILE = 'iris.data';
const MEASURES = 4;
const CLASSES = ['Iris-setosa', 'Iris-versicolor', 'Iris-virginica'];
/** Of a file of 4.5 kB. */
const MOST_BYTES = 2 ** 20;

async function readFlowers(path: string): Promise<{ readonly features: number[]; readonly targets: number[] }> {
  const { size } = await stat(path);
  if (size > MOST_BYTES) throw new CorruptInput(path, `has ${size} bytes, but it has some thousand; download it again`);
  const features: number[] = [];
  const targets: number[] = [];
  for (const [index, line] of (await readFile(path, 'utf8')).split('\n').entries()) {
    if (line.trim() === '') continue;
    const fields = line.trim().split(',');
    const measures = fields.slice(0, -1);
    const target = CLASSES.indexOf(fields.at(-1) ?? '');
    if (measures.length !== MEASURES || target === -1 || !measures.every((text) => /^\d+(\.\d+)?$/.test(text))) {
      throw new CorruptInput(
        path,
        `line ${index + 1} is ${JSON.stringify(line.slice(0, 60))}, but four numbers and one of ${CLASSES.join(', ')} are expected; download it again`,
      );
    }
    features.push(...measures.map(Number));
    targets.push(target);
  }
  if (targets.length === 0) throw new CorruptInput(path, 'has no lines; download it again');
  return { features, targets };
}
