import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { InvalidParams, Outputs, writeSnapshot, type HostContext, type MainLoop } from '@longrun/blocks';
import { writeH5Dataset } from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { computeTarget } from '@longrun/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PIXELS, writeImageDataset } from '../../test/image-dataset.js';
import mlp from './mlp.js';

let folder = '';
let dataset = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-mlp-'));
  dataset = path.join(folder, 'images.hdf5');
  await writeImageDataset(dataset);
});
afterAll(() => rm(folder, { recursive: true }));

const SMALL = { dims: [PIXELS, 8, 3], activations: ['rectifier', 'softmax'], batchSize: 16, learningRate: 0.02 };

async function build(params: unknown, options: Partial<HostContext> = {}): Promise<MainLoop> {
  const seed = options.seed ?? 1;
  return mlp.build({
    params,
    seed,
    random: new RandomStreams(seed),
    datasets: { train: { path: dataset, name: 'images' } },
    target: computeTarget({ threads: 1 }),
    extensions: () => [],
    outputs: await Outputs.open(await mkdtemp(path.join(folder, 'outputs-'))),
    ...options,
  });
}

describe('params', () => {
  test('have the defaults of the demo', () => {
    expect(mlp.parseParams({})).toEqual({
      dims: [784, 500, 500, 10],
      activations: ['rectifier', 'rectifier', 'softmax'],
      batchSize: 128,
      epochs: 3,
      learningRate: 0.002,
      optimizer: 'adam',
    });
  });

  test.each([
    [{ dims: [784, 10] }, ['dims'], 'dims has 2 entries but there are 3 activations; give activations.length + 1 dims'],
    [{ batchSize: -4 }, ['batchSize'], 'a batch has at least 1 example'],
    [{ batchSize: 1.5 }, ['batchSize'], 'give a whole number of examples'],
    [{ epochs: 0 }, ['epochs'], 'train for at least 1 epoch'],
    [{ learningRate: 0 }, ['learningRate'], 'give a number above 0'],
    [{ dims: [784, 500, -1, 10] }, ['dims', 2], 'a layer has at least 1 unit'],
    [{ dims: [784], activations: [] }, ['dims'], 'give the size of the input and of at least one layer'],
    [
      { activations: ['softmax', 'tanh', 'softmax'] },
      ['activations', 0],
      'softmax is the activation of the last layer only',
    ],
    [
      { activations: ['tanh', 'tanh', 'tanh'] },
      ['activations', 2],
      'the last activation is tanh, but classes need softmax',
    ],
    [{ optimizer: 'sgd' }, ['optimizer'], 'Invalid option'],
    [{ learningrate: 1 }, [], 'Unrecognized key: "learningrate"'],
  ])('%j are refused, at the field', (params, field, message) => {
    const refused = ((): unknown => {
      try {
        return mlp.parseParams(params);
      } catch (error) {
        return error;
      }
    })();

    expect(refused).toBeInstanceOf(InvalidParams);
    expect(refused instanceof InvalidParams ? refused.issues : []).toContainEqual({
      path: field,
      message: expect.stringContaining(message) as unknown,
    });
  });
});

describe('a dataset', () => {
  test('of other examples is told, with the dims to give', async () => {
    await expect(build({ ...SMALL, dims: [784, 8, 3] })).rejects.toThrow(
      'params.dims[0]: dims starts with 784 but an example of images has 16 values; give dims[0] = 16',
    );
  });

  test('of more classes is told, with how many to give', async () => {
    await expect(build({ ...SMALL, dims: [PIXELS, 8, 2] })).rejects.toThrow(
      'params.dims[2]: dims ends with 2 but images has the class 2; give at least 3 classes',
    );
  });

  test('without the sources or the splits is refused', async () => {
    const other = path.join(folder, 'other.hdf5');
    const rows = { start: 0, stop: 2 };
    await writeH5Dataset(other, async (writer) => {
      await writer.append({ pixels: ndarray('uint8', [2, PIXELS]) });
      return { train: { pixels: rows } };
    });

    await expect(build(SMALL, { datasets: { train: { path: other } } })).rejects.toThrow(
      'other.hdf5 has no source features, only pixels; give a dataset with features and targets',
    );
  });

  test('that is not there is refused', async () => {
    await expect(build(SMALL, { datasets: { train: { path: path.join(folder, 'missing.hdf5') } } })).rejects.toThrow(
      /missing.hdf5/,
    );
  });
});

describe.each(['adam', 'scale'] as const)('training with %s', (optimizer) => {
  const params = { ...SMALL, optimizer, epochs: 6, learningRate: optimizer === 'adam' ? 0.02 : 0.5 };

  test('learns, and logs the cost of batches, of epochs and of the test split', async () => {
    const mainLoop = await build(params);
    await mainLoop.run();
    const [first, last] = [mainLoop.log.row(0), mainLoop.log.row(36)];

    expect(mainLoop.status).toMatchObject({ iterationsDone: 36, epochsDone: 6 });
    expect(Number(last['test_cost'])).toBeLessThan(0.5 * Number(first['test_cost']));
    expect(Number(last['test_misclassification_rate'])).toBeLessThan(0.15);
    expect(Object.keys(mainLoop.log.row(5))).toEqual(['batch_cost']);
    expect(last).toHaveProperty('train_cost');
    const lines = mainLoop.outputs?.output('epochs.csv').readText().split('\n') ?? [];
    const values = ['train_cost', 'test_cost', 'test_misclassification_rate'].map((record) => last[record]);
    expect(lines).toHaveLength(8);
    expect([lines[0], lines[6]]).toEqual([
      'epoch,train_cost,test_cost,test_misclassification_rate',
      [6, ...values].join(','),
    ]);
  });

  test('depends on the seed, and on nothing else', async () => {
    const hashes = await Promise.all(
      [1, 1, 2].map(async (seed, run) => {
        const mainLoop = await build({ ...params, epochs: 1 }, { seed });
        await mainLoop.run();
        const { files } = await writeSnapshot(mainLoop, path.join(folder, `${optimizer}-${run}`));
        return files.find(({ name }) => name === 'parameters.safetensors')?.sha256;
      }),
    );

    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });
});
