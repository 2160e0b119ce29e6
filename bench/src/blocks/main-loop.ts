import {
  Constant,
  GradientDescent,
  HeNormal,
  MainLoop,
  MLP,
  Adam,
  Printing,
  ProgressBar,
  Rectifier,
  Softmax,
  TrainingDataMonitoring,
  TrainingExtension,
  FinishAfter,
} from '@longrun/blocks';
import { DatasetStream, denseOf, IndexableDataset, ShuffledScheme } from '@longrun/fuel';
import { ndarray, RandomStreams, type NdArray } from '@longrun/serialization';
import { compile, lvector, matrix, mean, type CompiledFunction, type Variable } from '@longrun/tensor';
import { elapsedMs } from '../elapsed.js';
import { plainRow, ratioRow, type Row } from '../report.js';

const [FEATURES, CLASSES, BATCH_SIZE, BATCHES] = [784, 10, 128, 64];
const BLOCK_STEPS = 50;
const ROUNDS = 21;
const TARGET = { engine: 'onnxruntime', threads: 1 } as const;

/** A step of training in a main loop with all that a run has, beside the compiled function that it calls. */
export async function mainLoopRows(): Promise<Row[]> {
  const stops = new StopEvery(BLOCK_STEPS);
  const mainLoop = loopOf(stops);
  const bare = await bareStep();
  const stream = exampleStream();
  const [loop, read, alone]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const readBefore = mainLoop.times.readDataMs;
    const inLoop = await elapsedMs(async () => void (await mainLoop.run()));
    const reading = mainLoop.times.readDataMs - readBefore;
    const batches = await taken(stream, BLOCK_STEPS);
    let cost: number | undefined;
    const inFunction = await elapsedMs(async () => {
      for (const batch of batches) cost = Number((await bare.run(batch))[0]?.data[0]);
    });
    if (cost !== mainLoop.log.currentRow['cost'])
      throw new Error(`the function alone came to the cost ${cost}, the main loop to another: they are not the same`);
    // The first compiles.
    if (round === 0) continue;
    loop.push(inLoop / BLOCK_STEPS);
    read.push(reading / BLOCK_STEPS);
    alone.push(inFunction / BLOCK_STEPS);
  }
  await bare.dispose();
  const what = 'MLP step in MainLoop, with TrainingDataMonitoring, Printing, ProgressBar';
  return [
    ratioRow(`${what}; peer: the compiled function alone, with the same batches in memory`, 'ms', loop, alone, 1.03),
    plainRow(`${what}, of which reading; peer: the compiled function alone`, 'ms', read, alone),
  ];
}

/** Where nobody reads: what is printed is to be made, and no more. */
function write(): void {}

class StopEvery extends TrainingExtension {
  readonly steps: number;

  constructor(steps: number) {
    super();
    this.steps = steps;
  }

  override afterBatch(): void {
    if (this.mainLoop.status.iterationsDone % this.steps === 0) this.mainLoop.requestStop();
  }
}

function trained(): { readonly cost: Variable; readonly algorithm: GradientDescent; readonly inputs: Variable[] } {
  const [features, targets] = [matrix('features'), lvector('targets')];
  const mlp = new MLP([new Rectifier({ name: 'first' }), new Rectifier({ name: 'second' }), null], {
    dims: [FEATURES, 500, 500, CLASSES],
    weightsInit: new HeNormal(),
    biasesInit: new Constant(0),
  });
  mlp.initialize(new RandomStreams(1));
  const cost = mean(new Softmax().categoricalCrossEntropy(targets, mlp.apply(features)));
  cost.name = 'cost';
  return { cost, algorithm: new GradientDescent({ cost, stepRule: new Adam() }), inputs: [features, targets] };
}

function loopOf(stops: TrainingExtension): MainLoop {
  const { cost, algorithm } = trained();
  return new MainLoop({
    algorithm,
    dataStream: exampleStream(),
    ...TARGET,
    extensions: [
      new TrainingDataMonitoring({ variables: [cost], afterBatch: true }),
      new FinishAfter({ afterNEpochs: 1_000_000 }),
      new Printing({ write }),
      new ProgressBar({ stream: { isTTY: true, write } }),
      stops,
    ],
  });
}

async function bareStep(): Promise<CompiledFunction> {
  const { cost, algorithm, inputs } = trained();
  return await compile({ name: 'step', inputs, outputs: [cost], updates: algorithm.updates, ...TARGET });
}

/** Both go through the same batches: what a step takes depends on its numbers. */
function exampleStream(): DatasetStream {
  const random = new RandomStreams(1).stream('shuffle');
  return new DatasetStream(
    new IndexableDataset(data()),
    new ShuffledScheme(BATCHES * BATCH_SIZE, BATCH_SIZE, { random }),
  );
}

/** So many batches, which are not released: each has memory of its own. */
async function taken(stream: DatasetStream, count: number): Promise<NdArray[][]> {
  const batches: NdArray[][] = [];
  while (batches.length < count) {
    const batch = await stream.next();
    if (batch === undefined) await stream.nextEpoch();
    else batches.push([...batch.columns.values()].map((column) => denseOf(column, 'a batch')));
  }
  return batches;
}

function data(): { features: NdArray<'float32'>; targets: NdArray<'int64'> } {
  const random = new RandomStreams(2).stream('data');
  const examples = BATCHES * BATCH_SIZE;
  const features = Float32Array.from({ length: examples * FEATURES }, () => random.uniform());
  const targets = BigInt64Array.from({ length: examples }, () => BigInt(random.integer(CLASSES)));
  return {
    features: ndarray('float32', [examples, FEATURES], features),
    targets: ndarray('int64', [examples], targets),
  };
}
