import { FinishAfter, GradientDescent, IsotropicGaussian, Linear, MainLoop } from '@longrun/blocks';
import { DatasetStream, IndexableDataset, ShuffledScheme } from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { matrix, mean, square, sub } from '@longrun/tensor';
import { expect, test } from 'vitest';
import { warmUp } from './warm-up.js';

test('what is trained after it ends with the bits that it ends with without it', async () => {
  const without = await trained();
  await warmUp();
  await warmUp();
  expect(await trained()).toEqual(without);
});

async function trained(): Promise<readonly number[]> {
  const random = new RandomStreams(3);
  const linear = new Linear({ inputDim: 4, outputDim: 2, weightsInit: new IsotropicGaussian(), useBias: false });
  linear.initialize(random);
  const cost = mean(square(sub(linear.apply(matrix('features')), matrix('targets'))));
  const points = random.stream('points');
  const drawn = (size: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: 12 * size }, () => points.normal());
  const dataset = new IndexableDataset({
    features: ndarray('float32', [12, 4], drawn(4)),
    targets: ndarray('float32', [12, 2], drawn(2)),
  });
  const mainLoop = new MainLoop({
    algorithm: new GradientDescent({ cost }),
    dataStream: new DatasetStream(dataset, new ShuffledScheme(12, 3, { random: random.stream('shuffle') })),
    random,
    extensions: [new FinishAfter({ afterNEpochs: 2 })],
  });
  expect(await mainLoop.run()).toBe('finished');
  return [...(await linear.W.getValue()).data].map(Number);
}
