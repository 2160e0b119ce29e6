import { DatasetStream, IndexableDataset, SequentialScheme } from '@longrun/fuel';
import { ndarray } from '@longrun/serialization';

import { TrainingLog } from '../log/training-log.js';
import { MainLoop } from '../main-loop/main-loop.js';
import type { MainLoopOptions } from '../main-loop/main-loop-options.js';
import { MockAlgorithm, type MockAlgorithmOptions } from './mock-algorithm.js';

/** Options of {@link MockMainLoop}: all of a main loop's that are to be others. */
export interface MockMainLoopOptions extends Partial<MainLoopOptions>, MockAlgorithmOptions {}

/**
 * A main loop that needs nothing, to try extensions with (Blocks: `MockMainLoop`): a {@link MockAlgorithm} on epochs of two batches of the source `features`, zeros of shape
 * (5, 1), with a log in memory. An extension has to finish it.
 */
export class MockMainLoop extends MainLoop {
  constructor({ delayTime = 0, ...options }: MockMainLoopOptions = {}) {
    super({
      algorithm: new MockAlgorithm({ delayTime }),
      dataStream: new DatasetStream(
        new IndexableDataset({ features: ndarray('float32', [10, 1]) }),
        new SequentialScheme(10, 5),
      ),
      log: new TrainingLog(),
      engine: 'reference',
      ...options,
    });
  }
}
