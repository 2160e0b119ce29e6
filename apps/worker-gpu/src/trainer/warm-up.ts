import {
  Adam,
  Constant,
  DataStreamMonitoring,
  FinishAfter,
  GradientDescent,
  IsotropicGaussian,
  MainLoop,
  MLP,
  Rectifier,
  Softmax,
  TrainingDataMonitoring,
} from '@longrun/blocks';
import {
  DatasetStream,
  Flatten,
  IndexableDataset,
  loadHdf5,
  SequentialScheme,
  ShuffledScheme,
  uint8PixelsToFloat,
  type IterationScheme,
} from '@longrun/fuel';
import { ndarray, RandomStreams } from '@longrun/serialization';
import { flatten, mean, tensor } from '@longrun/tensor';

/**
 * Does once what is slow at the first time, so that the first step of an experiment comes sooner: loads the HDF5 library and the default
 * engine, and trains something small, which has the JavaScript engine compile what every experiment runs. No result depends on it:
 * two trainings in one process share no state.
 */
export async function warmUp(): Promise<void> {
  await loadHdf5();
  await small().run();
}

/** With what most experiments have: shuffling, conversion of pixels, Adam, monitoring of both kinds. */
function small(): MainLoop {
  const random = new RandomStreams(1);
  const dataset = new IndexableDataset(
    { features: ndarray('uint8', [EXAMPLES, 1, SIDE, SIDE]), targets: ndarray('uint8', [EXAMPLES, 1]) },
    { defaultTransformers: uint8PixelsToFloat(['features']) },
  );
  const inOrder = new SequentialScheme(EXAMPLES, BATCH_SIZE);
  const shuffled = new ShuffledScheme(EXAMPLES, BATCH_SIZE, { random: random.stream('shuffle') });
  const mlp = new MLP([new Rectifier(), null], {
    dims: [SIDE * SIDE, 128, 10],
    weightsInit: new IsotropicGaussian(0.1),
    biasesInit: new Constant(0),
  });
  mlp.initialize(random);
  const features = tensor('features', 'float32', [null, SIDE * SIDE]);
  const targets = tensor('targets', 'uint8', [null, 1]);
  const cost = mean(new Softmax().categoricalCrossEntropy(flatten(targets), mlp.apply(features)));
  cost.name = 'cost';
  return new MainLoop({
    algorithm: new GradientDescent({ cost, stepRule: new Adam() }),
    dataStream: streamOf(dataset, shuffled),
    random,
    extensions: [
      new TrainingDataMonitoring({ variables: [cost], prefix: 'batch', afterBatch: true }),
      new DataStreamMonitoring({ variables: [cost], dataStream: streamOf(dataset, inOrder), prefix: 'test' }),
      new FinishAfter({ afterNEpochs: 1 }),
    ],
  });
}

function streamOf(dataset: IndexableDataset, scheme: IterationScheme): Flatten {
  return new Flatten(DatasetStream.defaultStream(dataset, scheme));
}

const SIDE = 28;
const EXAMPLES = 64;
const BATCH_SIZE = 16;
