import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Constant,
  defineExperiment,
  FinishAfter,
  GradientDescent,
  InvalidParams,
  Linear,
  MainLoop,
  Scale,
  Softmax,
  TrainingDataMonitoring,
  TrainingExtension,
} from '@longrun/blocks';
import { DatasetStream, Flatten, H5Dataset, SequentialScheme, uint8PixelsToFloat } from '@longrun/fuel';
import { flatten, mean, tensor } from '@longrun/tensor';
import { z } from 'zod';

/** A linear classifier of images of 64 pixels that can be told how its run turns out. */
export default defineExperiment({
  name: 'turns',
  params: z.strictObject({
    epochs: z.int().min(1).default(4),
    pauseMs: z.number().min(0).default(0),
    /** Refuses its parameters after this step, which ends it for good. */
    refuseAt: z.int().optional(),
    /** Throws after this step, which ends the attempt. */
    throwAt: z.int().optional(),
    /** File that says how many batches were done. */
    witness: z.string().optional(),
  }),
  async build({ params, random, dataset, target, extensions }) {
    const opened = await H5Dataset.open(dataset.path, {
      whichSets: ['train'],
      defaultTransformers: uint8PixelsToFloat(['features']),
    });
    const scheme = new SequentialScheme(opened.examplesCount, 16);
    const features = tensor('features', 'float32', [null, 64]);
    const labels = flatten(tensor('targets', 'uint8', [null, 1]));
    const linear = new Linear({
      inputDim: 64,
      outputDim: 10,
      weightsInit: new Constant(0),
      biasesInit: new Constant(0),
    });
    linear.initialize(random);
    const cost = mean(new Softmax().categoricalCrossEntropy(labels, linear.apply(features)));
    cost.name = 'cost';
    return new MainLoop({
      algorithm: new GradientDescent({ cost, stepRule: new Scale({ learningRate: 0.1 }) }),
      dataStream: new Flatten(DatasetStream.defaultStream(opened, scheme)),
      random,
      ...target,
      extensions: [
        new TrainingDataMonitoring({ variables: [cost], prefix: 'batch', afterBatch: true }),
        new FinishAfter({ afterNEpochs: params.epochs }),
        new Turn(params),
        ...extensions(),
      ],
    });
  },
});

class Turn extends TrainingExtension {
  #params;

  constructor(params) {
    super();
    this.#params = params;
  }

  async beforeBatch() {
    await sleep(this.#params.pauseMs);
  }

  afterBatch() {
    const { refuseAt, throwAt, witness } = this.#params;
    const { iterationsDone } = this.mainLoop.status;
    if (witness !== undefined) writeFileSync(witness, String(iterationsDone));
    if (iterationsDone === refuseAt) throw new InvalidParams('turns', [{ path: ['refuseAt'], message: 'it is time' }]);
    if (iterationsDone === throwAt) throw new RangeError(`the cost is lost at step ${iterationsDone}`);
  }
}
