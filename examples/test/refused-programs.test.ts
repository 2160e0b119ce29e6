import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { InvalidParams, Outputs, type ExperimentProgram, type MainLoop } from '@longrun/blocks';
import { writeH5Dataset } from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';

import batchNormalization from '../src/programs/batch-normalization.js';
import languageModel from '../src/programs/language-model.js';
import lenet from '../src/programs/lenet.js';
import markovChain from '../src/programs/markov-chain.js';
import parity from '../src/programs/parity.js';
import { writeImageDataset } from './image-dataset.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-refused-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each<[ExperimentProgram, unknown, readonly (string | number)[], string]>([
  [lenet, { filters: [] }, ['filters'], 'give at least one convolution'],
  [lenet, { dropout: 1 }, ['dropout'], 'give less than 1'],
  [batchNormalization, { memory: 1 }, ['memory'], 'give less than 1, or the statistics of the population never change'],
  [batchNormalization, { dims: [784, 10] }, ['dims'], 'give activations.length + 1 dims'],
  [markovChain, { transitions: [[0.5, 0.5], [1]] }, ['transitions'], 'give a square matrix'],
  [
    markovChain,
    {
      transitions: [
        [0.5, 0.6],
        [1, 0],
      ],
    },
    ['transitions', 0],
    'the probabilities of a row do not add up to 1',
  ],
  [parity, { bits: 0 }, ['bits'], 'give at least 1'],
  [languageModel, { network: 'transformer', dim: 10, heads: 4 }, ['dim'], 'give a multiple of'],
])('$name refuses what it cannot take, at the field', (program, params, field, message) => {
  const refused = ((): unknown => {
    try {
      return program.parseParams(params);
    } catch (error) {
      return error;
    }
  })();

  expect(refused instanceof InvalidParams ? refused.issues : refused).toContainEqual({
    path: field,
    message: expect.stringContaining(message) as unknown,
  });
});

test('a dataset that is not of images, or of other images than the layers take, is refused', async () => {
  await expect(built(lenet, {}, await vectors())).rejects.toThrow(
    'vectors: an example is (3), but an image is (channels, rows, columns); give a dataset of images',
  );
  const images = path.join(folder, 'images.hdf5');
  await writeImageDataset(images);
  await expect(built(lenet, {}, images)).rejects.toThrow(
    /filters of .20, 1, 5, 5. are larger than an image of .null, 1, 4, 4.; give smaller ones/,
  );
});

test('a dataset without text is refused', async () => {
  await expect(built(languageModel, {}, await vectors())).rejects.toThrow(/there is no source text/);
});

async function vectors(): Promise<string> {
  const file = path.join(folder, 'vectors.hdf5');
  const rows = { start: 0, stop: 2 };
  await writeH5Dataset(file, async (writer) => {
    await writer.append({ features: ndarray('float32', [2, 3]), targets: ndarray('uint8', [2, 1]) });
    return { train: { features: rows, targets: rows }, test: { features: rows, targets: rows } };
  });
  return file;
}

async function built(program: ExperimentProgram, params: unknown, file: string): Promise<MainLoop> {
  return await program.build({
    params,
    seed: 1,
    random: new RandomStreams(1),
    datasets: { train: { path: file, name: path.basename(file, '.hdf5') } },
    target: computeTarget({ threads: 1 }),
    extensions: () => [],
    outputs: await Outputs.open(await mkdtemp(path.join(folder, 'outputs-'))),
  });
}
