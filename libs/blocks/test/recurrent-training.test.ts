import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { DatasetStream, ShuffledScheme } from '@longrun/fuel';
import { RandomStreams, type NdArray } from '@longrun/serialization';
import { dimshuffle, index, lvector, matrix, mean } from '@longrun/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  Adam,
  Constant,
  FinishAfter,
  Fork,
  GatedRecurrent,
  GradientDescent,
  IsotropicGaussian,
  Linear,
  MainLoop,
  restoreSnapshot,
  Softmax,
  writeSnapshot,
} from '../src/index.js';
import { StopAt } from './stop-at.js';
import { tinyDataset } from './tiny-experiment.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'longrun-recurrent-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Classifies points by reading their three numbers one after the other. */
function readingExperiment(stopAt?: number): MainLoop {
  const random = new RandomStreams(1);
  const init = { weightsInit: new IsotropicGaussian(0.5), biasesInit: new Constant(0) };
  const fork = new Fork({ outputNames: ['inputs', 'gate_inputs'], inputDim: 1, outputDims: [4, 8], ...init });
  const reader = new GatedRecurrent({ dim: 4, ...init });
  const classifier = new Linear({ inputDim: 4, outputDim: 2, ...init });
  for (const brick of [fork, reader, classifier]) brick.initialize(random);
  const steps = dimshuffle(matrix('features'), [1, 0, 'x']);
  const { states } = reader.apply(fork.apply(steps));
  const cost = mean(new Softmax().categoricalCrossEntropy(lvector('targets'), classifier.apply(index(states, -1))));
  return new MainLoop({
    algorithm: new GradientDescent({ cost, stepRule: new Adam({ learningRate: 0.05 }) }),
    dataStream: new DatasetStream(tinyDataset(22), new ShuffledScheme(22, 4, { random: random.stream('shuffle') })),
    random,
    engine: 'onnxruntime',
    threads: 1,
    extensions: [new FinishAfter({ afterNBatches: 8 }), new StopAt(stopAt)],
  });
}

async function finalParameters(mainLoop: MainLoop): Promise<ReadonlyMap<string, NdArray>> {
  expect(await mainLoop.run()).toBe('finished');
  return (await mainLoop.arrays()).parameters;
}

test('a recurrent network that was killed ends with the bits of one that was not, and its initial state is trained', async () => {
  const undisturbed = await finalParameters(readingExperiment());
  const killed = readingExperiment(3);
  expect(await killed.run()).toBe('stopped');
  const snapshot = path.join(folder, 'snapshot');
  await writeSnapshot(killed, snapshot);
  const successor = readingExperiment();
  await restoreSnapshot(successor, snapshot);
  expect(successor.status.iterationsDone).toBe(3);

  expect(await finalParameters(successor)).toEqual(undisturbed);
  expect([...undisturbed.keys()]).toEqual(
    expect.arrayContaining(['/gatedrecurrent.state_to_gates', '/fork/fork_gate_inputs.W', '/linear.b']),
  );
  expect(
    [...(undisturbed.get('/gatedrecurrent.initial_state')?.data ?? [0])].every((value) => Number(value) !== 0),
  ).toBe(true);
});
