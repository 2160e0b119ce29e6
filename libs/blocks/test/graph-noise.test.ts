import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { DatasetStream, ShuffledScheme } from '@longrun/fuel';
import { RandomStreams, type NdArray } from '@longrun/serialization';
import { add, dimension, GraphRandomStreams, lvector, matrix, mean, mul } from '@longrun/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  Adam,
  Constant,
  FinishAfter,
  GradientDescent,
  IsotropicGaussian,
  MainLoop,
  MLP,
  restoreSnapshot,
  Softmax,
  Tanh,
  writeSnapshot,
} from '../src/index.js';
import { StopAt } from './stop-at.js';
import { tinyDataset } from './tiny-experiment.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-noise-'));
});
afterAll(() => rm(folder, { recursive: true }));

const BATCHES = 14;

/** Trains on inputs with noise and dropout; `stopAt` is after how many batches it stops. */
function noisyExperiment(engine: string, stopAt?: number): MainLoop {
  const random = new RandomStreams(1);
  const noise = new GraphRandomStreams(1, 'noise');
  const features = matrix('features');
  const shape = [dimension(features, 0), 3];
  const mlp = new MLP([new Tanh(), null], {
    dims: [3, 5, 2],
    weightsInit: new IsotropicGaussian(0.5),
    biasesInit: new Constant(0),
  });
  mlp.initialize(random);
  const kept = noise.binomial(shape, { p: 0.8, dtype: 'float32' });
  const logits = mlp.apply(mul(add(features, noise.normal(shape, { std: 0.1 })), kept));
  const cost = mean(new Softmax().categoricalCrossEntropy(lvector('targets'), logits));
  const algorithm = new GradientDescent({ cost, stepRule: new Adam({ learningRate: 0.05 }) });
  algorithm.addUpdates(noise.updates);
  const iterationScheme = new ShuffledScheme(22, 4, { random: random.stream('shuffle') });
  return new MainLoop({
    algorithm,
    dataStream: new DatasetStream(tinyDataset(22), iterationScheme),
    random,
    engine,
    threads: 1,
    extensions: [new FinishAfter({ afterNBatches: BATCHES }), new StopAt(stopAt)],
  });
}

async function finalArrays(mainLoop: MainLoop): Promise<Map<string, NdArray>> {
  expect(await mainLoop.run()).toBe('finished');
  const { parameters, algorithm } = await mainLoop.arrays();
  return new Map([...parameters, ...algorithm]);
}

test.each(['reference', 'onnxruntime'])(
  'noise of the graph goes on where it was, wherever training is cut: %s',
  async (engine) => {
    const undisturbed = await finalArrays(noisyExperiment(engine));
    expect([...undisturbed.keys()]).toEqual(expect.arrayContaining(['noise_0', 'noise_1']));
    for (const name of ['noise_0', 'noise_1']) expect(Number(undisturbed.get(name)?.data[2])).toBe(BATCHES);
    for (const cut of [1, 9]) {
      const first = noisyExperiment(engine, cut);
      expect(await first.run()).toBe('stopped');
      const snapshot = path.join(folder, `${engine}-${cut}`);
      await writeSnapshot(first, snapshot);
      // What is done after the snapshot dies with its process.
      const killed = noisyExperiment(engine, cut + 3);
      await restoreSnapshot(killed, snapshot);
      expect(await killed.run()).toBe('stopped');
      const successor = noisyExperiment(engine);
      await restoreSnapshot(successor, snapshot);
      expect(await finalArrays(successor)).toEqual(undisturbed);
    }
  },
);

test('other noise trains to other parameters', async () => {
  const snapshot = path.join(folder, 'other');
  const first = noisyExperiment('reference', 9);
  await first.run();
  await writeSnapshot(first, snapshot);
  const successor = noisyExperiment('reference');
  await restoreSnapshot(successor, snapshot);
  for (const [name, state] of successor.inventory.algorithm) {
    if (!name.startsWith('noise')) continue;
    const value = await state.getValue();
    value.data[2] = 0n;
    state.setValue(value);
  }
  const [one, other] = [await finalArrays(successor), await finalArrays(noisyExperiment('reference'))];
  expect(one.get('/mlp/linear_0.W')).not.toEqual(other.get('/mlp/linear_0.W'));
});
