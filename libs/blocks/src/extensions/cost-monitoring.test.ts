import { RandomStreams } from '@longrun/serialization';
import { mul } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { sequential, tinyDataset, tinyModel } from '../../test/tiny-experiment.js';
import { Scale } from '../algorithms/step-rules/scale.js';
import { GradientDescent } from '../algorithms/gradient-descent.js';
import { MainLoop } from '../main-loop/main-loop.js';
import { costMonitoring } from './cost-monitoring.js';
import { FinishAfter } from './finish-after.js';

test('training logs its own cost, and other streams are evaluated by that for evaluation', async () => {
  const { cost } = tinyModel(new RandomStreams(1));
  const evaluationCost = mul(cost, 3);
  evaluationCost.name = 'cost';
  // Nothing is learned, so that both are the same throughout.
  const mainLoop = new MainLoop({
    algorithm: new GradientDescent({ cost, stepRule: new Scale({ learningRate: 0 }) }),
    dataStream: sequential(tinyDataset(22), 4),
    engine: 'reference',
    extensions: [
      ...costMonitoring(cost, { streams: { test: sequential(tinyDataset(22), 5) }, evaluationCost }),
      new FinishAfter({ afterNEpochs: 1 }),
    ],
  });
  await mainLoop.run();
  const { train_cost: train, test_cost: evaluated } = mainLoop.log.currentRow;

  expect(Number(evaluated) / Number(train)).toBeCloseTo(3, 5);
});
