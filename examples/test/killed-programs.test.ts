import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { DatasetFile, ExperimentProgram } from '@longrun/blocks';
import { afterAll, beforeAll, expect, test } from 'vitest';

import batchNormalization from '../src/programs/batch-normalization.js';
import lenet from '../src/programs/lenet.js';
import markovChain from '../src/programs/markov-chain.js';
import mlp from '../src/programs/mlp.js';
import parity from '../src/programs/parity.js';
import { PIXELS, writeImageDataset } from './image-dataset.js';
import { undisturbedAndKilled } from './killed-run.js';

let folder = '';
let images: Readonly<Record<string, DatasetFile>> = {};
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-killed-'));
  const file = path.join(folder, 'images.hdf5');
  await writeImageDataset(file);
  images = { train: { path: file, name: 'images' } };
});
afterAll(() => rm(folder, { recursive: true }));

const LAYERS = { dims: [PIXELS, 8, 3], activations: ['rectifier', 'softmax'], batchSize: 16 };
const SEQUENCES = { sequences: 60, batchSize: 10, epochs: 3, dim: 4 };

/** Of 3 epochs of 6 batches each. */
const PROGRAMS: readonly (readonly [program: ExperimentProgram, params: unknown, reads: 'images' | 'nothing'])[] = [
  [mlp, LAYERS, 'images'],
  [batchNormalization, LAYERS, 'images'],
  [lenet, { filters: [3], filterSize: 3, hidden: 4, batchSize: 16 }, 'images'],
  [markovChain, { ...SEQUENCES, steps: 5 }, 'nothing'],
  [parity, { ...SEQUENCES, bits: 4, testBits: 7 }, 'nothing'],
];

test.each(PROGRAMS)('$name writes the same when it is killed as when it is not', async (program, params, reads) => {
  const datasets = reads === 'images' ? images : {};
  const [undisturbed, killed] = await undisturbedAndKilled(program, { params, datasets }, folder);

  expect([...undisturbed.rows.keys()]).toEqual(Array.from({ length: 19 }, (_, step) => step));
  expect([...undisturbed.files.keys()]).toEqual([
    'parameters.safetensors',
    'algorithm.safetensors',
    'output.epochs.csv',
  ]);
  expect(killed).toEqual(undisturbed);
});
