import {
  Adam,
  Constant,
  DataStreamMonitoring,
  defineExperiment,
  dimsMismatch,
  FinishAfter,
  GradientDescent,
  InvalidParams,
  IsotropicGaussian,
  Linear,
  Logistic,
  MainLoop,
  MisclassificationRate,
  MLP,
  Rectifier,
  Scale,
  Softmax,
  Tanh,
  TrainingDataMonitoring,
  TrainingExtension,
  type Activation,
  type BuildContext,
  type Output,
  type StepRule,
} from '@longrun/blocks';
import {
  DatasetStream,
  describeH5Dataset,
  Flatten,
  H5Dataset,
  SequentialScheme,
  ShuffledScheme,
  uint8PixelsToFloat,
  type DataStream,
  type DatasetDescription,
} from '@longrun/fuel';
import type { RandomStreams } from '@longrun/serialization';
import { flatten, mean, tensor, type Variable } from '@longrun/tensor';
import { z } from 'zod';

const Params = z
  .strictObject({
    /** Values of an example, then the size of each layer; the last is the number of classes. */
    dims: z
      .array(z.int('a layer has a whole number of units').min(1, 'a layer has at least 1 unit'))
      .min(2, 'give the size of the input and of at least one layer')
      .default([784, 500, 500, 10]),
    /** One for each layer. The last is always `softmax`; it is computed together with the cost, from logits. */
    activations: z
      .array(z.enum(['rectifier', 'tanh', 'logistic', 'softmax']))
      .min(1, 'give at least one layer')
      .default(['rectifier', 'rectifier', 'softmax']),
    /** Examples in a batch. */
    batchSize: z.int('give a whole number of examples').min(1, 'a batch has at least 1 example').default(128),
    /** Passes through the training set. */
    epochs: z.int('give a whole number of epochs').min(1, 'train for at least 1 epoch').default(3),
    learningRate: z.number().positive('give a number above 0').default(0.002),
    optimizer: z.enum(['adam', 'scale']).default('adam'),
  })
  .superRefine(({ dims, activations }, context) => {
    if (dims.length !== activations.length + 1) {
      const { fault, remedy } = dimsMismatch(dims.length, activations.length);
      context.addIssue({ code: 'custom', path: ['dims'], message: fault, params: { remedy } });
    }
    for (const [layer, activation] of activations.entries()) {
      if ((activation === 'softmax') === (layer === activations.length - 1)) continue;
      const [message, remedy] =
        activation === 'softmax'
          ? ['softmax is the activation of the last layer only', 'choose another one here']
          : [`the last activation is ${activation}, but classes need softmax`, 'put softmax there'];
      context.addIssue({ code: 'custom', path: ['activations', layer], message, params: { remedy } });
    }
  });

/** Params of the program, with defaults filled in. */
export type MlpParams = z.output<typeof Params>;

/** Classifies examples of a dataset with sources `features` and `targets` and splits `train` and `test` by an MLP. */
export default defineExperiment({
  name: 'mlp',
  description: 'A multi-layer perceptron that classifies the examples of a dataset such as MNIST or Fashion-MNIST.',
  params: Params,
  async build(context) {
    const { params, random } = context;
    const description = await describeH5Dataset(context.dataset.path);
    await checkDataset(context, description);
    const train = await openStream(context, description, 'train', random);
    const test = await openStream(context, description, 'test');

    const features = tensor('features', 'float32', ['batch', params.dims[0] ?? null]);
    const targets = tensor('targets', source(description, 'targets').dtype ?? 'uint8', ['batch', 1]);
    const { cost, misclassificationRate } = model(params, random, features, flatten(targets));

    return new MainLoop({
      algorithm: new GradientDescent({ cost, stepRule: STEP_RULES[params.optimizer](params.learningRate) }),
      dataStream: train,
      random,
      ...context.target,
      extensions: [
        new TrainingDataMonitoring({ name: 'BatchCost', variables: [cost], prefix: 'batch', afterBatch: true }),
        new TrainingDataMonitoring({ name: 'TrainCost', variables: [cost], prefix: 'train', afterEpoch: true }),
        new DataStreamMonitoring({ variables: [cost, misclassificationRate], dataStream: test, prefix: 'test' }),
        new EpochTable(context.output('epochs.csv')),
        new FinishAfter({ afterNEpochs: params.epochs }),
        ...context.extensions(),
      ],
    });
  },
});

/** Writes what the log has of each epoch as a line of a table. */
class EpochTable extends TrainingExtension {
  readonly #table: Output;

  constructor(table: Output) {
    super();
    this.#table = table;
    table.write(`${['epoch', ...EPOCH_RECORDS].join(',')}\n`);
  }

  override afterEpoch(): void {
    const { log, status } = this.mainLoop;
    const values = EPOCH_RECORDS.map((record) => log.currentRow[record]);
    this.#table.append(`${[status.epochsDone, ...values].join(',')}\n`);
  }
}

const EPOCH_RECORDS = ['train_cost', 'test_cost', 'test_misclassification_rate'];

/** The variables to minimize and to watch; the parameters have their first values. */
function model(
  params: MlpParams,
  random: RandomStreams,
  features: Variable,
  labels: Variable,
): { cost: Variable; misclassificationRate: Variable } {
  const mlp = new MLP(
    params.activations.map((name) => ACTIVATIONS[name]()),
    { dims: params.dims, biasesInit: new Constant(0) },
  );
  mlp.pushAllocationConfig();
  mlp.pushInitializationConfig();
  for (const linear of mlp.linearTransformations) {
    // He et al. (2015): keeps the size of signals through rectifiers.
    if (linear instanceof Linear) linear.weightsInit = new IsotropicGaussian(Math.sqrt(2 / linear.inputDim.value));
  }
  mlp.initialize(random);
  const logits = mlp.apply(features);
  const cost = mean(new Softmax().categoricalCrossEntropy(labels, logits));
  cost.name = 'cost';
  const misclassificationRate = new MisclassificationRate().apply(labels, logits);
  misclassificationRate.name = 'misclassification_rate';
  return { cost, misclassificationRate };
}

/** How the activations that params name are made. */
const ACTIVATIONS: Readonly<Record<MlpParams['activations'][number], () => Activation | null>> = {
  rectifier: () => new Rectifier(),
  tanh: () => new Tanh(),
  logistic: () => new Logistic(),
  // The cost is computed from logits, and the best class is that of the largest.
  softmax: () => null,
};

/** How the step rules that params name are made. */
const STEP_RULES: Readonly<Record<MlpParams['optimizer'], (learningRate: number) => StepRule>> = {
  adam: (learningRate) => new Adam({ learningRate }),
  scale: (learningRate) => new Scale({ learningRate }),
};

/** Batches of a split: shuffled anew in each epoch with `random`, else in order. */
async function openStream(
  { dataset: { path }, params: { batchSize } }: BuildContext<MlpParams>,
  description: DatasetDescription,
  split: 'train' | 'test',
  random?: RandomStreams,
): Promise<DataStream> {
  const dataset = await H5Dataset.open(path, {
    whichSets: [split],
    sources: ['features', 'targets'],
    loadInMemory: description.sizeBytes <= IN_MEMORY_BYTES,
    defaultTransformers: source(description, 'features').dtype === 'uint8' ? uint8PixelsToFloat(['features']) : [],
  });
  const scheme =
    random === undefined
      ? new SequentialScheme(dataset.examplesCount, batchSize)
      : new ShuffledScheme(dataset.examplesCount, batchSize, { random: random.stream('shuffle') });
  return new Flatten(DatasetStream.defaultStream(dataset, scheme));
}

const IN_MEMORY_BYTES = 256 * 2 ** 20;

/** What cannot be known before there is a dataset. */
async function checkDataset(context: BuildContext<MlpParams>, description: DatasetDescription): Promise<void> {
  const { params, dataset } = context;
  const called = dataset.name ?? dataset.path;
  const features = source(description, 'features');
  const targets = source(description, 'targets');
  if (features.dtype !== 'uint8' && features.dtype !== 'float32') {
    throw new Error(`${called}: the features are ${features.dtype}; this program takes uint8 (0 to 255) or float32`);
  }
  if (
    targets.dtype === null ||
    targets.dtype.startsWith('float') ||
    targets.shape.slice(1).some((size) => size !== 1)
  ) {
    throw new Error(
      `${called}: the targets are ${targets.dtype} of shape (${targets.shape.join(', ')}); this program takes one class number for each example`,
    );
  }
  const size = features.shape.slice(1).reduce((product, dimension) => product * dimension, 1);
  if (size !== params.dims[0]) {
    const message = `dims starts with ${params.dims[0]} but an example of ${called} has ${size} values; give dims[0] = ${size}`;
    throw new InvalidParams('mlp', [{ path: ['dims', 0], message }]);
  }
  const classes = params.dims.at(-1) ?? 0;
  const largest = await largestLabel(dataset.path);
  if (largest >= classes) {
    const message = `dims ends with ${classes} but ${called} has the class ${largest}; give at least ${largest + 1} classes`;
    throw new InvalidParams('mlp', [{ path: ['dims', params.dims.length - 1], message }]);
  }
}

async function largestLabel(path: string): Promise<number> {
  const labels = await H5Dataset.open(path, { whichSets: ['train', 'test'], sources: ['targets'], loadInMemory: true });
  const { arrays } = await labels.getData({ start: 0, stop: labels.examplesCount });
  let largest = -1;
  for (const label of arrays.get('targets')?.data ?? []) largest = Math.max(largest, Number(label));
  return largest;
}

function source(description: DatasetDescription, name: string): DatasetDescription['sources'][number] {
  const found = description.sources.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  throw new Error(
    `The dataset has no source ${name}, only ${description.sources.map((one) => one.name).join(', ')}; this program takes features and targets`,
  );
}
