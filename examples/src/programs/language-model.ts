import {
  Constant,
  defineExperiment,
  IsotropicGaussian,
  LayerNormalization,
  Linear,
  LookupTable,
  LSTM,
  NDimensionalSoftmax,
  perplexity,
  SinusoidalPositions,
  TRAINING_PARAMS,
  TransformerBlock,
  trainingLoop,
  type Brick,
  type InitializableOptions,
} from '@longrun/blocks';
import {
  DatasetStream,
  H5Dataset,
  IndexableDataset,
  isRagged,
  SequentialScheme,
  ShuffledScheme,
  UnsuitableDataset,
  type DataStream,
} from '@longrun/fuel';
import { ndarray, type RandomStream } from '@longrun/serialization';
import { cast, dimension, mean, mul, slice, sum, tensor, transpose, type Variable } from '@longrun/tensor';
import { z } from 'zod';

const Size = z.int('give a whole number').min(1, 'give at least 1');
const BYTES = 256;

/** Learns which byte of a text follows those before it, from a dataset with a source `text` and splits `train` and `test`, as the converter `text` makes them. */
export default defineExperiment({
  name: 'language-model',
  description: 'Predicts each character of a text from those before it, by an LSTM or a transformer.',
  params: z
    .strictObject({
      network: z.enum(['lstm', 'transformer']).default('lstm').meta({ description: 'What reads the text.' }),
      dim: Size.default(128).meta({ description: 'Size of what stands for a character, and of each layer.' }),
      layers: Size.default(1).meta({ description: 'Layers of the network.' }),
      heads: Size.default(4).meta({ description: 'Heads of the attention of a transformer.' }),
      length: Size.default(64).meta({ description: 'Characters that are read in one piece.' }),
      ...TRAINING_PARAMS,
      batchSize: TRAINING_PARAMS.batchSize.default(32),
      epochs: TRAINING_PARAMS.epochs.default(10),
      learningRate: TRAINING_PARAMS.learningRate.default(0.004),
    })
    .refine(({ network, dim, heads }) => network === 'lstm' || dim % (2 * heads) === 0, {
      path: ['dim'],
      message: 'the heads of a transformer cannot share it evenly, or it is odd',
      params: { remedy: 'give a multiple of heads, and of 2' },
    }),
  async build(context) {
    const { params, random } = context;
    const { network, dim, layers, heads, batchSize, length } = params;
    const { path } = context.dataset;
    const train = await pieces(path, { split: 'train', length, batchSize, shuffle: random.stream('shuffle') });
    const test = await pieces(path, { split: 'test', length, batchSize });

    const text = tensor('text', 'uint8', ['batch', length + 1]);
    const init = { weightsInit: new IsotropicGaussian(1 / Math.sqrt(dim)), biasesInit: new Constant(0) };
    const embedding = new LookupTable({ name: 'embedding', length: BYTES, dim, ...init });
    const readout = new Linear({ name: 'readout', inputDim: dim, outputDim: BYTES, ...init });
    const given = embedding.apply(cast(slice(text, 0, length, { axis: 1 }), 'int64'));
    const { bricks, states } = NETWORKS[network](given, { dim, layers, heads, init });
    for (const brick of [embedding, ...bricks, readout]) brick.initialize(random);

    const next = slice(text, 1, length + 1, { axis: 1 });
    const losses = new NDimensionalSoftmax().categoricalCrossEntropy(next, readout.apply(states), { extraNdim: 1 });
    const cost = mean(losses);
    cost.name = 'cost';
    const surprise = perplexity(sum(losses), mul(dimension(text, 0), length));
    surprise.name = 'perplexity';
    return trainingLoop(context, { cost, train, test, variables: [surprise] });
  },
});

/** What a network is made of. */
interface NetworkOptions {
  readonly dim: number;
  readonly layers: number;
  readonly heads: number;
  readonly init: InitializableOptions;
}

/** A network that was applied. */
interface AppliedNetwork {
  readonly bricks: readonly Brick[];
  /** What is known at each place, of what stands there and before, (batch, time, dim). */
  readonly states: Variable;
}

const NETWORKS = {
  lstm(input: Variable, { dim, layers, init }: NetworkOptions): AppliedNetwork {
    const bricks: Brick[] = [];
    let states = transpose(input, [1, 0, 2]);
    for (let layer = 0; layer < layers; layer += 1) {
      const gates = new Linear({ name: `gates_${layer}`, inputDim: dim, outputDim: 4 * dim, ...init });
      const lstm = new LSTM({ name: `lstm_${layer}`, dim, ...init });
      bricks.push(gates, lstm);
      ({ states } = lstm.apply({ inputs: gates.apply(states) }));
    }
    return { bricks, states: transpose(states, [1, 0, 2]) };
  },

  transformer(input: Variable, { dim, layers, heads, init }: NetworkOptions): AppliedNetwork {
    const positions = new SinusoidalPositions({ dim });
    const norm = new LayerNormalization({ name: 'norm', dim });
    const blocks = Array.from(
      { length: layers },
      (_, layer) => new TransformerBlock({ name: `block_${layer}`, dim, numHeads: heads, causal: true, ...init }),
    );
    const read = blocks.reduce((states, block) => block.apply({ input: states }), positions.apply(input));
    return { bricks: [positions, ...blocks, norm], states: norm.apply(read) };
  },
} as const;

/** How a split is read. */
interface PiecesOptions {
  readonly split: string;
  readonly length: number;
  readonly batchSize: number;
  /** Draws another order for each epoch. Default: the order of the text. */
  readonly shuffle?: RandomStream;
}

/** The texts of a split one after the other, in pieces of `length + 1` bytes, `text` (batch, bytes): each begins with the last byte of the one before. */
async function pieces(path: string, { split, length, batchSize, shuffle }: PiecesOptions): Promise<DataStream> {
  const dataset = await H5Dataset.open(path, { whichSets: [split], sources: ['text'], loadInMemory: true });
  const { columns } = await dataset.getData({ start: 0, stop: dataset.examplesCount });
  const column = columns.get('text');
  // Of a split with one text it is an array.
  const bytes = column !== undefined && isRagged(column) ? column.values.data : column?.data;
  const count = Math.floor(((bytes?.length ?? 0) - 1) / length);
  if (!(bytes instanceof Uint8Array) || count < 1) {
    throw new UnsuitableDataset(
      `${path}: ${split} has no text of more than ${length} bytes; give a dataset of the converter text`,
    );
  }
  const rows = new Uint8Array(count * (length + 1));
  for (let row = 0; row < count; row += 1) {
    rows.set(bytes.subarray(row * length, (row + 1) * length + 1), row * (length + 1));
  }
  const windows = new IndexableDataset({ text: ndarray('uint8', [count, length + 1], rows) });
  const scheme =
    shuffle === undefined
      ? new SequentialScheme(count, batchSize)
      : new ShuffledScheme(count, batchSize, { random: shuffle });
  return new DatasetStream(windows, scheme);
}
