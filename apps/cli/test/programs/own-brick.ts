import {
  application,
  Brick,
  classificationCosts,
  Constant,
  costMonitoring,
  defineExperiment,
  EpochTable,
  FinishAfter,
  GradientDescent,
  HeNormal,
  MainLoop,
  MLP,
  Rectifier,
  stepRuleOf,
  TRAINING_PARAMS,
  TrainingExtension,
} from '@longrun/blocks';
import { Flatten, LabelledSplits } from '@longrun/fuel';
import { flatten, mul, sub, tensor, type Variable } from '@longrun/tensor';
import { z } from 'zod';

/** Makes values from 0 to 1 values from -1 to 1. */
class Centred extends Brick {
  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    return sub(mul(input, 2), 1);
  }
}

/** What a researcher writes: one file, with a brick of its own, that is trained here or submitted as it is. */
export default defineExperiment({
  name: 'own-brick',
  description: 'Mine.',
  params: z.strictObject({ ...TRAINING_PARAMS, hidden: z.int().min(1).default(8) }),
  async build(context) {
    const { params, random, target } = context;
    const { batchSize, hidden, epochs } = params;
    const data = await LabelledSplits.open(context.dataset);
    const train = new Flatten(await data.batches('train', { batchSize, shuffle: random.stream('shuffle') }));
    const test = new Flatten(await data.batches('test', { batchSize }));
    const mlp = new MLP([new Rectifier(), null], {
      dims: [data.exampleSize, hidden, data.classesCount],
      weightsInit: new HeNormal(),
      biasesInit: new Constant(0),
    });
    mlp.initialize(random);
    const features = tensor('features', 'float32', ['batch', data.exampleSize]);
    const labels = flatten(tensor('targets', data.targetsDtype, ['batch', 1]));
    const { cost, misclassificationRate } = classificationCosts(labels, mlp.apply(new Centred().apply(features)));
    return new MainLoop({
      algorithm: new GradientDescent({ cost, stepRule: stepRuleOf(params) }),
      dataStream: train,
      random,
      ...target,
      extensions: [
        ...costMonitoring(cost, { streams: { test }, variables: [misclassificationRate] }),
        new EpochTable(context.output('epochs.csv'), ['train_cost', 'test_cost']),
        new FinishAfter({ afterNEpochs: epochs }),
        new Signals(process.env['SIGNALS_AT_STEP']),
        ...context.extensions(),
      ],
    });
  },
});

/** Sends this process signals after a step, each when the one before was heard: `SIGINT,SIGINT@20`. */
class Signals extends TrainingExtension {
  readonly #signals: readonly string[];
  readonly #step: number;

  constructor(text = '@0') {
    super();
    const [signals = '', step = ''] = text.split('@');
    this.#signals = signals.split(',');
    this.#step = Number(step);
  }

  override async afterBatch(): Promise<void> {
    if (this.mainLoop.status.iterationsDone !== this.#step) return;
    for (const signal of this.#signals) {
      process.kill(process.pid, signal);
      while (!this.mainLoop.stopRequested) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
