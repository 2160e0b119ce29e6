import {
  Adam,
  Constant,
  GradientDescent,
  IsotropicGaussian,
  MainLoop,
  MLP,
  Rectifier,
  Softmax,
  TrainingDataMonitoring,
  type TrainingExtension,
} from '@longrun/blocks';
import { DatasetStream, IndexableDataset, SequentialScheme } from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { computeTarget, flatten, mean, tensor } from '@longrun/tensor';

/** Layers, each as wide as its input; examples in a batch; threads within one op. */
export const TRAINED = { layers: 4, batchSize: 32, threads: 2 } as const;

/** How wide the layers are for parameters and Adam's two moments of about so many bytes in all. */
export function widthFor(bytes: number): number {
  return 16 * Math.round(Math.sqrt(bytes / (3 * TRAINED.layers * Float32Array.BYTES_PER_ELEMENT)) / 16);
}

/** The training of such a network, which goes on until its process ends. */
export function trainingOf(width: number, extensions: readonly TrainingExtension[]): MainLoop {
  const random = new RandomStreams(1);
  const features = tensor('features', 'float32', [null, width]);
  const targets = tensor('targets', 'int32', [null, 1]);
  const mlp = new MLP([...Array.from({ length: TRAINED.layers - 1 }, () => new Rectifier()), null], {
    dims: Array.from({ length: TRAINED.layers + 1 }, () => width),
    weightsInit: new IsotropicGaussian(Math.sqrt(2 / width)),
    biasesInit: new Constant(0),
  });
  mlp.initialize(random);
  const cost = mean(new Softmax().categoricalCrossEntropy(flatten(targets), mlp.apply(features)));
  cost.name = 'cost';
  const examples = random.stream('examples');
  const dataset = new IndexableDataset({
    features: ndarray(
      'float32',
      [EXAMPLES, width],
      Float32Array.from({ length: EXAMPLES * width }, () => examples.normal()),
    ),
    targets: ndarray(
      'int32',
      [EXAMPLES, 1],
      Int32Array.from({ length: EXAMPLES }, (_, i) => i % width),
    ),
  });
  return new MainLoop({
    algorithm: new GradientDescent({ cost, stepRule: new Adam() }),
    dataStream: DatasetStream.defaultStream(dataset, new SequentialScheme(EXAMPLES, TRAINED.batchSize)),
    random,
    ...computeTarget({ threads: TRAINED.threads }),
    extensions: [new TrainingDataMonitoring({ variables: [cost], prefix: 'batch', afterBatch: true }), ...extensions],
  });
}

const EXAMPLES = 8 * TRAINED.batchSize;
