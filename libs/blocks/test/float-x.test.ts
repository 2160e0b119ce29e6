import { DatasetStream, IndexableDataset, SequentialScheme } from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { withFloatX } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { Adam, FinishAfter, GradientDescent, MainLoop } from '../src/index.js';
import { tinyModel } from './tiny-experiment.js';

test.each(['float32', 'float64'] as const)('what is built while floatX is %s is trained in it', async (floatX) => {
  const random = new RandomStreams(1);
  const { cost, misclassificationRate } = withFloatX(floatX, () => tinyModel(random));
  expect([cost.dtype, misclassificationRate.dtype]).toEqual([floatX, floatX]);

  const features = ndarray(floatX, [4, 3]);
  features.data.set([1, 2, 3, 3, 2, 1, 0, 1, 0, -1, 0, -1]);
  const targets = ndarray('int64', [4], BigInt64Array.of(0n, 1n, 0n, 1n));
  const loop = new MainLoop({
    algorithm: new GradientDescent({ cost, stepRule: new Adam({ learningRate: 0.05 }) }),
    dataStream: new DatasetStream(new IndexableDataset({ features, targets }), new SequentialScheme(4, 2)),
    random,
    engine: 'onnxruntime',
    threads: 1,
    extensions: [new FinishAfter({ afterNEpochs: 2 })],
  });
  await loop.run();

  const { parameters } = await loop.arrays();
  expect([...parameters.values()].map(({ dtype }) => dtype)).toEqual([floatX, floatX, floatX, floatX]);
  const elements = [...parameters.values()].flatMap(({ data }) => Array.from(data, Number));
  expect(elements.every(Number.isFinite)).toBe(true);
  expect(elements.every((element) => Math.fround(element) === element)).toBe(floatX === 'float32');
});
