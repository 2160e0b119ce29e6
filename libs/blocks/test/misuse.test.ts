import { RandomStreams } from '@longrun/serialization';
import { lvector, matrix, mean, scalar, square, sum, tensor, vector, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import {
  AdamW,
  BatchNormalization,
  Constant,
  Convolutional,
  ConvolutionalSequence,
  CostWatch,
  DatasetEvaluator,
  Dropout,
  FeedforwardSequence,
  FinishAfter,
  Fork,
  GradientDescent,
  Linear,
  LookupTable,
  LSTM,
  MainLoop,
  MLP,
  Model,
  MultiHeadAttention,
  PARAMETER,
  Scale,
  select,
  SimpleRecurrent,
  Softmax,
  Tanh,
  trainingMode,
  WEIGHT,
  type LinearOptions,
} from '../src/index.js';
import { newLog } from '../src/log/log-backends.js';
import { sequential, tinyDataset, tinyModel } from './tiny-experiment.js';

// What is easily done wrong, and what is said then: who, which argument, and what to change.

const x = matrix('features');
const init = { weightsInit: new Constant(0.1), biasesInit: new Constant(0) };
const random = (): RandomStreams => new RandomStreams(1);

function linear(options: LinearOptions = {}): Linear {
  const brick = new Linear({ inputDim: 3, outputDim: 2, ...init, ...options });
  brick.initialize(random());
  return brick;
}

/** A cost by features of a name, and by targets. */
function costOf(features = x, options: LinearOptions = {}): Variable {
  return mean(new Softmax().categoricalCrossEntropy(lvector('targets'), linear(options).apply(features)));
}

function mainLoop(cost: Variable, stepRule = new Scale()): MainLoop {
  return new MainLoop({
    algorithm: new GradientDescent({ cost, stepRule }),
    dataStream: sequential(tinyDataset(8), 4),
    engine: 'reference',
    threads: 1,
    extensions: [new CostWatch({ onNonFinite: () => undefined, stops: true }), new FinishAfter({ afterNBatches: 4 })],
  });
}

const recurrent = (): SimpleRecurrent => new SimpleRecurrent({ dim: 2, activation: new Tanh() });
const sequence = tensor('sequence', 'float32', [5, 3, 2]);

type Misuse = readonly [what: string, make: () => unknown, sentence: string];

describe('an argument that was never set:', () => {
  const pushed = [new Convolutional({ numFilters: 2 })];
  test.each<Misuse>([
    [
      'of a brick that is applied',
      () => new Linear({ outputDim: 2 }).apply(x),
      '/linear: allocation config not set: inputDim; give it to the constructor, or set inputDim.value',
    ],
    [
      'several',
      () => new Linear({ name: 'top' }).allocate(),
      '/top: allocation config not set: inputDim, outputDim; give them to the constructor, or set inputDim.value, outputDim.value',
    ],
    [
      'one of a list',
      () => new MLP([null], { dims: [3, undefined] }).allocate(),
      '/mlp: allocation config not set: dims[1]; give it to the constructor, or set dims[1].value',
    ],
    ['of a recurrent brick', () => new LSTM().allocate(), '/lstm: allocation config not set: dim; give it'],
    [
      'of a normalization',
      () => new BatchNormalization().allocate(),
      '/batchnormalization: allocation config not set: inputDim',
    ],
    [
      'of a table',
      () => new LookupTable({ dim: 2 }).allocate(),
      '/lookuptable: allocation config not set: length; give it',
    ],
    [
      'of a layer that its sequence asks',
      () => new ConvolutionalSequence(pushed, { numChannels: 1 }).allocate(),
      '/convolutionalsequence/convolutional: allocation config not set: filterSize; give it to the constructor, or set filterSize.value',
    ],
    [
      'how to initialize',
      () => new MLP([null], { dims: [3, 2] }).initialize(random()),
      '/mlp/linear_0: initialization config not set: biasesInit; give biasesInit to the brick or to a parent of it',
    ],
    [
      'to initialize at all',
      () => mainLoop(mean(square(new Linear({ inputDim: 3, outputDim: 2 }).apply(x)))).run(),
      '/linear.W has no value, as its brick was not initialized; initialize /linear before training, as in mlp.initialize(context.random), or load values',
    ],
    [
      'to initialize what draws random numbers',
      () => {
        const dropout = new Dropout({ dropProbability: 0.5 });
        return mainLoop(trainingMode(dropout, () => costOf(dropout.apply(x)))).run();
      },
      '/dropout draws random numbers, but was not initialized, so that they do not follow from the seed of the experiment; initialize /dropout before training, ' +
        'as in mlp.initialize(context.random), or give it a seed',
    ],
  ])('%s', async (_, make, sentence) => {
    await expect((async () => make())()).rejects.toThrow(sentence);
  });
});

describe('dims that do not fit:', () => {
  const chain = (): Variable =>
    new FeedforwardSequence([
      new Linear({ name: 'a', inputDim: 3, outputDim: 4 }).application('apply'),
      new Linear({ name: 'b', inputDim: 5, outputDim: 2 }).application('apply'),
    ]).apply(x);
  test.each<Misuse>([
    [
      'no number of them',
      () => new Linear({ inputDim: -1, outputDim: 2 }).allocate(),
      '/linear: W would have the shape (-1, 2), as inputDim is -1; give whole numbers of at least 0',
    ],
    [
      'not a whole one',
      () => new BatchNormalization({ inputDim: [2, 1.5] }).allocate(),
      'as inputDim is [2,1.5]; give whole numbers',
    ],
    [
      'of the input',
      () => linear({ inputDim: 4 }).apply(tensor('f', 'float32', [null, 3])),
      '/linear.apply: input has shape (null, 3) but should end in (4,); change the dimension of the brick or of what feeds it',
    ],
    ['of a scalar', () => linear().apply(scalar('s')), '/linear.apply: input has shape () but should end in (3,)'],
    [
      'of the data',
      () => mainLoop(costOf(x, { inputDim: 4 })).run(),
      'Source features of the batch has shape (4, 3) but input of /linear.apply takes (null, 4); change the stream (Flatten, ScaleAndShift, ...) or the dims of the brick',
    ],
    ['of two layers', chain, '/feedforwardsequence/b.apply: input has shape (null, 4) but should end in (5,)'],
    [
      'too few',
      () => new MLP([new Tanh(), null], { dims: [3, 2] }),
      'MLP: dims has 2 entries but there are 2 activations; give activations.length + 1 dims',
    ],
    [
      'too few of a fork',
      () => new Fork({ outputNames: ['a', 'b'], outputDims: [2], inputDim: 3 }).allocate(),
      '/fork: outputDims has 1 entries but there are 2 names; give one for each',
    ],
    [
      'of images',
      () =>
        new Convolutional({ filterSize: 2, numFilters: 1, numChannels: 3 }).apply(
          tensor('i', 'float32', [null, 1, 8, 8]),
        ),
      '/convolutional.apply: conv2d: `convolutional_apply_input` float32 (null, 1, 8, 8) and `W` float32 (1, 3, 2, 2): the image has 1 channels, the filters take 3',
    ],
    [
      'of a filter larger than the image',
      () => new Convolutional({ filterSize: 5, numFilters: 1, numChannels: 1, imageSize: [3, 3] }).outputSize,
      '/convolutional: convOutputShape: filters of (1, 1, 5, 5) are larger than an image of (null, 1, 3, 3); give smaller ones, or a border',
    ],
    [
      'of heads',
      () => new MultiHeadAttention({ dim: 5, numHeads: 2 }).allocate(),
      '/multiheadattention: 2 heads cannot share a size of 5; give a dim that is a multiple of numHeads',
    ],
    [
      'numbers in the place of indices',
      () => new LookupTable({ length: 3, dim: 2 }).apply(x),
      '/lookuptable.apply: take: `W` float32 (3, 2) is indexed by `lookuptable_apply_indices` float32 (null, null); give integers, or cast them',
    ],
  ])('%s', async (_, make, sentence) => {
    await expect((async () => make())()).rejects.toThrow(sentence);
  });
});

describe('one name for two:', () => {
  const two = (): readonly [Linear, Linear] => [linear({ outputDim: 3 }), linear({ outputDim: 3 })];
  test.each<Misuse>([
    [
      'bricks of a model',
      () => {
        const [a, b] = two();
        return new Model(b.apply(a.apply(x)));
      },
      'Model: two top bricks are named linear; names start the paths of parameters, so give one another name',
    ],
    [
      'children of a brick, as training begins',
      () => {
        const chain = new FeedforwardSequence(two().map((brick) => brick.application('apply')));
        chain.initialize(random());
        return mainLoop(mean(square(chain.apply(x))));
      },
      'Two different variables have the path /feedforwardsequence/linear.W; paths name parameters and states in checkpoints and must be unique. ' +
        'Give the bricks different names: new Linear({ name: ... })',
    ],
    [
      'records of the log',
      () => {
        const [a, b] = [mean(x), sum(x)];
        for (const variable of [a, b]) variable.name = 'cost';
        return new DatasetEvaluator([a, b]);
      },
      'DatasetEvaluator: two variables are named cost; give one another name',
    ],
    [
      'none',
      () => new DatasetEvaluator([mean(x)]),
      'DatasetEvaluator: a variable has no name, which would be that of its record; set variable.name',
    ],
    [
      'one that is no part of a path',
      () => new Linear({ name: 'a/b' }),
      'Brick name "a/b" cannot be part of a path; leave out "/", "." and ":"',
    ],
  ])('%s', async (_, make, sentence) => {
    await expect((async () => make())()).rejects.toThrow(sentence);
  });
});

describe('sources and variables:', () => {
  test.each<Misuse>([
    [
      'a source without a variable',
      () => mainLoop(mean(square(linear().apply(x)))).run(),
      'GradientDescent: the batch has sources that the graph does not use: targets; its inputs are features. Leave them out with the option sources of the dataset, ' +
        "or set onUnusedSources to 'ignore'",
    ],
    [
      'a variable without a source',
      () => mainLoop(costOf(matrix('inputs'))).run(),
      'GradientDescent: the graph has an input named inputs but the batch has no such source; its sources are features, targets. Give the input the name of a source, or ' +
        'rename the sources of the stream',
    ],
    [
      'a source of another dtype',
      () => mainLoop(costOf(tensor('features', 'float64', [null, 3]))).run(),
      'Source features of the batch is float32 but the input features of the graph, used by /linear.apply, is float64; put a Cast around the stream, or declare the input as float32',
    ],
    [
      'a source of another rank',
      () => mainLoop(mean(square(linear().apply(tensor('features', 'float32', [null, null, 3]))))).run(),
      'Source features of the batch has shape (4, 3) but the input features of the graph, used by /linear.apply, takes (null, null, 3)',
    ],
  ])('%s', async (_, make, sentence) => {
    await expect((async () => make())()).rejects.toThrow(sentence);
  });
});

describe('costs:', () => {
  test.each<Misuse>([
    [
      'that become NaN',
      () => mainLoop(tinyModel(random()).cost, new Scale({ learningRate: Infinity })).run(),
      'cost is NaN at step 2',
    ],
    [
      'that are no scalars',
      () => new GradientDescent({ cost: square(linear().apply(x)) }),
      'grad: the cost `square.0` float32 (null, 2) is not a float scalar; take its mean or sum first',
    ],
    [
      'that train nothing',
      () => {
        const [cost = x] = select(costOf()).role(PARAMETER).freeze().graph.outputs;
        return new GradientDescent({ cost });
      },
      'GradientDescent: there are no parameters to train; the cost depends on none, all are frozen, or the list is empty',
    ],
    [
      'of which nothing is selected',
      () => select(costOf()).role(WEIGHT).brick('linaer').assertCount(1),
      'select: 0 variables are selected and not 1: none\n  24 in the graph\n  1 left: has the role WEIGHT\n  0 left: was made by one named linaer',
    ],
  ])('%s', async (_, make, sentence) => {
    await expect((async () => make())()).rejects.toThrow(sentence);
  });
});

describe('masks and sequences:', () => {
  test.each<Misuse>([
    [
      'a mask of (batch, time)',
      () => recurrent().apply({ inputs: sequence, mask: tensor('m', 'float32', [3, 5]) }),
      '/simplerecurrent.apply: mask has shape (3, 5) but inputs has shape (5, 3, 2); both begin with (time, batch): make these the same, or transpose one',
    ],
    [
      'a mask of one axis',
      () => recurrent().apply({ inputs: sequence, mask: vector('m') }),
      '/simplerecurrent.apply: mask has 1 axes; give it those of (time, batch), or call it with { iterate: false }',
    ],
    [
      'a mask of another batch in one step',
      () =>
        recurrent().apply(
          {
            inputs: tensor('i', 'float32', [3, 2]),
            states: tensor('s', 'float32', [3, 2]),
            mask: tensor('m', 'float32', [4]),
          },
          { iterate: false },
        ),
      '/simplerecurrent.apply: mask has shape (4,) but inputs has shape (3, 2); both begin with (batch): make these the same, or transpose one',
    ],
    [
      'a mask of attention',
      () =>
        new MultiHeadAttention({ dim: 4, numHeads: 2 }).apply({
          queries: tensor('q', 'float32', [2, 5, 4]),
          mask: tensor('m', 'float32', [5, 2]),
        }),
      '/multiheadattention.apply: mask has shape (5, 2) but what is attended to has shape (2, 5, 4); give a mask of its (batch, attended time)',
    ],
    [
      'another name',
      () => recurrent().apply({ inputs: sequence, masks: vector('m') } as never),
      '/simplerecurrent.apply has no input masks; it has inputs, mask, states',
    ],
    [
      'inputs that are not four times as wide',
      () => new LSTM({ dim: 2 }).apply({ inputs: sequence }),
      '/lstm.apply: inputs has shape (5, 3, 2) but should end in (8,); change the dimension of the brick or of what feeds it',
    ],
    [
      'what is to drop everything',
      () => new Dropout({ dropProbability: 1 }),
      'dropout: dropProbability is 1; give one from 0 to below 1',
    ],
    [
      'a learning rate that is no number',
      () => new Scale({ learningRate: Number.NaN }),
      'scale: learning_rate is NaN; give a number',
    ],
    [
      'a mean that forgets nothing',
      () => new AdamW({ beta2: 1 }),
      'adamw: beta2 is 1; give a number from 0 to below 1',
    ],
    [
      'a log of no kind',
      () => newLog(JSON.parse('"mysql"')),
      'MainLoop: there is no logBackend mysql; give one of python, sqlite',
    ],
  ])('%s', async (_, make, sentence) => {
    await expect((async () => make())()).rejects.toThrow(sentence);
  });
});

test('what draws random numbers from a seed of its own, or is only evaluated, need not be initialized', async () => {
  const [seeded, idle] = [new Dropout({ dropProbability: 0.5, seed: 3 }), new Dropout({ dropProbability: 0.5 })];
  expect(await mainLoop(trainingMode(seeded, () => costOf(seeded.apply(x)))).run()).toBe('finished');
  expect(await mainLoop(costOf(idle.apply(x))).run()).toBe('finished');
});
