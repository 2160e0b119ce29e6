import { ndarray } from '@longrun/serialization';
import { shared } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { FinishAfter } from '../extensions/finish-after.js';
import { TrainingExtension } from '../extensions/training-extension.js';
import { MockAlgorithm, MockMainLoop } from './index.js';

test('1.18-17, 1.18-18: an extension is called as in training, though nothing is trained', async () => {
  const examples: number[] = [];
  class Counts extends TrainingExtension {
    override afterBatch(batch: Parameters<TrainingExtension['afterBatch']>[0]): void {
      examples.push(this.mainLoop.algorithm.examplesIn(batch, this.mainLoop.dataStream));
    }
  }
  const algorithm = new MockAlgorithm();
  const mainLoop = new MockMainLoop({ algorithm, extensions: [new Counts(), new FinishAfter({ afterNEpochs: 2 })] });

  expect(await mainLoop.run()).toBe('finished');
  expect(mainLoop.status).toMatchObject({ iterationsDone: 4, epochsDone: 2 });
  expect([algorithm.batchesProcessed, ...examples]).toEqual([4, 5, 5, 5, 5]);
  const slow = new MockMainLoop({ delayTime: 0.01, extensions: [new FinishAfter({ afterNBatches: 3 })] });
  await slow.run();
  expect(slow.times.trainMs).toBeGreaterThan(25);
  expect(() => algorithm.observe([shared(ndarray('float32', []), 'cost')])).toThrow(
    'MockAlgorithm computes no variables',
  );
});
