import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { DatasetFile, ExperimentProgram } from '@longrun/blocks';
import { text } from '@longrun/fuel';
import { afterAll, beforeAll, expect, test } from 'vitest';

import batchNormalization from '../src/programs/batch-normalization.js';
import languageModel from '../src/programs/language-model.js';
import lenet from '../src/programs/lenet.js';
import markovChain from '../src/programs/markov-chain.js';
import mlp from '../src/programs/mlp.js';
import parity from '../src/programs/parity.js';
import reverseWords from '../src/programs/reverse-words.js';
import { PIXELS, writeImageDataset } from './image-dataset.js';
import { undisturbedAndKilled } from './killed-run.js';

let folder = '';
let datasets: Readonly<Record<'images' | 'text', DatasetFile>>;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-killed-'));
  const file = (name: string): DatasetFile => ({ path: path.join(folder, `${name}.hdf5`), name });
  datasets = { images: file('images'), text: file('text') };
  await writeImageDataset(datasets.images.path);
  await writeFile(path.join(folder, 'text.txt'), 'A short text\nof seven words,\n'.repeat(7));
  await text.convert(folder, datasets.text.path, text.params.parse({}));
});
afterAll(() => rm(folder, { recursive: true }));

const LAYERS = { dims: [PIXELS, 8, 3], activations: ['rectifier', 'softmax'], batchSize: 16 };
const SEQUENCES = { sequences: 60, batchSize: 10, epochs: 3, dim: 4 };
const TEXT = { dim: 4, heads: 2, length: 8, batchSize: 4, epochs: 3 };

const LINES = { lines: 60, testLines: 12, words: 2, letters: 3, dim: 4, beamSize: 2, batchSize: 10, epochs: 3 };

/** Of 3 epochs of 6 batches each. */
const PROGRAMS: readonly (readonly [program: ExperimentProgram, params: unknown, reads: 'images' | 'text' | null])[] = [
  [mlp, LAYERS, 'images'],
  [batchNormalization, { ...LAYERS, epochs: 3 }, 'images'],
  [lenet, { filters: [3], filterSize: 3, hidden: 4, batchSize: 16, epochs: 3 }, 'images'],
  [languageModel, { ...TEXT, network: 'lstm' }, 'text'],
  [languageModel, { ...TEXT, network: 'transformer' }, 'text'],
  [markovChain, { ...SEQUENCES, steps: 5 }, null],
  [parity, { ...SEQUENCES, bits: 4, testBits: 7 }, null],
  [reverseWords, LINES, null],
];

/** Those that share least with one another, which are killed with each run of the tests. */
const EVERY_TIME: ReadonlySet<ExperimentProgram> = new Set([lenet, markovChain, reverseWords]);

test.each(PROGRAMS.filter(([program]) => EVERY_TIME.has(program)))(
  '$name writes the same when it is killed as when it is not',
  tryKilled,
);
test.runIf(process.env['LONGRUN_PROOFS'] === 'all').each(PROGRAMS.filter(([program]) => !EVERY_TIME.has(program)))(
  '(npm run proofs) $name writes the same when it is killed as when it is not',
  tryKilled,
);

async function tryKilled(program: ExperimentProgram, params: unknown, reads: 'images' | 'text' | null): Promise<void> {
  const read = reads === null ? {} : { train: datasets[reads] };
  const [undisturbed, killed] = await undisturbedAndKilled(program, { params, datasets: read }, folder);

  expect([...undisturbed.rows.keys()]).toEqual(Array.from({ length: 19 }, (_, step) => step));
  expect([...undisturbed.files.keys()]).toEqual([
    'parameters.safetensors',
    'algorithm.safetensors',
    ...(program === reverseWords ? ['output.attention.svg'] : []),
    'output.epochs.csv',
    ...(program === reverseWords ? ['output.lines.txt'] : []),
  ]);
  expect(killed).toEqual(undisturbed);
}
