import { DatasetStream, IndexableDataset, SequentialScheme, ShuffledScheme, type DataStream } from '@longrun/fuel';
import { ndarray, RandomStreams, type NdArray } from '@longrun/serialization';
import { lvector, madeTogether, matrix, mean, type Variable } from '@longrun/tensor';

import {
  Adam,
  applyTrainingMode,
  ComputationGraph,
  Constant,
  DataStreamMonitoring,
  Dropout,
  FinishAfter,
  GradientDescent,
  IsotropicGaussian,
  MainLoop,
  MisclassificationRate,
  MLP,
  Softmax,
  Tanh,
  TrainingDataMonitoring,
  type Outputs,
  type StepRule,
  type TrainingExtension,
  type TrainingLogBase,
} from '../src/index.js';

/** What a tiny experiment may be varied in. */
export interface TinyOptions {
  readonly engine?: string;
  readonly seed?: number;
  readonly hidden?: number;
  readonly examples?: number;
  readonly batchSize?: number;
  readonly epochs?: number;
  readonly stepRule?: StepRule;
  /** What trains by a cost, where it is more than a step rule. */
  readonly algorithm?: (cost: Variable) => GradientDescent;
  /** Of the features, in training. Default: nothing is dropped, and there is no such brick. */
  readonly dropProbability?: number;
  readonly extensions?: readonly TrainingExtension[];
  readonly outputs?: Outputs;
  readonly log?: TrainingLogBase;
}

/** Points of three dimensions and a class of two: on which side of a curved surface they lie. */
export function tinyDataset(examples: number): IndexableDataset {
  const random = new RandomStreams(7).stream('points');
  const features = ndarray('float32', [examples, 3]);
  const targets = ndarray('int64', [examples]);
  for (let row = 0; row < examples; row += 1) {
    const [x, y, z] = [random.normal(), random.normal(), random.normal()];
    features.data.set([x, y, z], 3 * row);
    targets.data[row] = x * y + z > 0 ? 1n : 0n;
  }
  return new IndexableDataset({ features, targets });
}

/** An MLP that learns it, with all that a real experiment has: shuffling, Adam, monitoring of both kinds. */
export function tinyExperiment(options: TinyOptions = {}): MainLoop {
  // Where each of its ops was made is looked for once: it takes half of the time of building it.
  return madeTogether(() => built(options));
}

function built(options: TinyOptions): MainLoop {
  const { examples = 22, batchSize = 4, epochs = 3, seed = 1 } = options;
  const random = new RandomStreams(seed);
  const dataset = tinyDataset(examples);
  const { cost, trainingCost, misclassificationRate } = tinyModel(random, options);
  return new MainLoop({
    algorithm:
      options.algorithm?.(trainingCost) ??
      new GradientDescent({ cost: trainingCost, stepRule: options.stepRule ?? new Adam({ learningRate: 0.05 }) }),
    dataStream: new DatasetStream(
      dataset,
      new ShuffledScheme(examples, batchSize, { random: random.stream('shuffle') }),
    ),
    random,
    engine: options.engine ?? 'reference',
    threads: 1,
    extensions: [
      new TrainingDataMonitoring({ name: 'Batch', variables: [cost], prefix: 'batch', everyNBatches: 2 }),
      new TrainingDataMonitoring({ name: 'Train', variables: [cost], prefix: 'train', afterEpoch: true }),
      new DataStreamMonitoring({
        variables: [cost, misclassificationRate],
        dataStream: sequential(dataset, 8),
        prefix: 'test',
      }),
      new FinishAfter({ afterNEpochs: epochs }),
      ...(options.extensions ?? []),
    ],
    ...(options.outputs === undefined ? {} : { outputs: options.outputs }),
    ...(options.log === undefined ? {} : { log: options.log }),
  });
}

/** The variables of a tiny model whose parameters have their first values. */
export function tinyModel(
  random: RandomStreams,
  { hidden = 5, dropProbability }: Pick<TinyOptions, 'hidden' | 'dropProbability'> = {},
): { readonly cost: Variable; readonly trainingCost: Variable; readonly misclassificationRate: Variable } {
  const mlp = new MLP([new Tanh(), null], {
    dims: [3, hidden, 2],
    weightsInit: new IsotropicGaussian(0.5),
    biasesInit: new Constant(0),
  });
  mlp.initialize(random);
  const labels = lvector('targets');
  const features = matrix('features');
  const dropout = dropProbability === undefined ? undefined : new Dropout({ dropProbability });
  dropout?.initialize(random);
  const logits = mlp.apply(dropout?.apply(features) ?? features);
  const cost = mean(new Softmax().categoricalCrossEntropy(labels, logits));
  cost.name = 'cost';
  const misclassificationRate = new MisclassificationRate().apply(labels, logits);
  misclassificationRate.name = 'misclassification_rate';
  const [trainingCost = cost] = applyTrainingMode(new ComputationGraph(cost)).graph.outputs;
  return { cost, trainingCost, misclassificationRate };
}

/** A dataset in order. */
export function sequential(dataset: IndexableDataset, batchSize: number): DataStream {
  return new DatasetStream(dataset, new SequentialScheme(dataset.examplesCount, batchSize));
}

/** A float32 array of nested numbers. */
export function float32(shape: readonly number[], values: readonly number[]): NdArray<'float32'> {
  return ndarray('float32', shape, Float32Array.from(values));
}

/** An int64 vector. */
export function int64(values: readonly number[]): NdArray<'int64'> {
  return ndarray('int64', [values.length], BigInt64Array.from(values, BigInt));
}
