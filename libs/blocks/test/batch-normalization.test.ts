import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { DatasetStream, SequentialScheme } from '@longrun/fuel';
import { ndarray, RandomStreams, sizeOf, type NdArray } from '@longrun/serialization';
import { add, compile, grad, lvector, matrix, mean, mul, sum, tensor, type Variable } from '@longrun/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  applyBatchNormalization,
  BATCH_NORM_DIVISOR,
  BATCH_NORM_MINIBATCH_ESTIMATE,
  BATCH_NORM_OFFSET,
  BatchNormalization,
  batchNormalization,
  BatchNormalizedMLP,
  ComputationGraph,
  Convolutional,
  ConvolutionalSequence,
  FinishAfter,
  getBatchNormalizationUpdates,
  GradientDescent,
  IsotropicGaussian,
  MainLoop,
  restoreSnapshot,
  Scale,
  select,
  Softmax,
  SpatialBatchNormalization,
  Tanh,
  writeSnapshot,
} from '../src/index.js';
import { StopAt } from './stop-at.js';
import { tinyDataset } from './tiny-experiment.js';

interface Case {
  readonly name: 'BatchNormalization' | 'SpatialBatchNormalization';
  readonly shape: readonly number[];
  readonly trained: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly evaluated: readonly number[];
  readonly mean: readonly number[];
  readonly stdev: readonly number[];
}

/** See make-batch-normalization.py. */
const goldens: readonly Case[] = JSON.parse(
  readFileSync(new URL('goldens/batch-normalization.json', import.meta.url), 'utf8'),
);
const EPSILON = 1e-2;

function values(shape: readonly number[], seed: number, change = (value: number): number => value): NdArray {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, at) => change(Math.sin(at * 1.3 + seed)));
  return ndarray('float32', shape, data);
}

function expectClose(actual: NdArray | undefined, expected: readonly number[]): void {
  expect(actual?.data).toHaveLength(expected.length);
  for (const [at, value] of expected.entries()) expect(Number(actual?.data[at])).toBeCloseTo(value, 4);
}

async function run(inputs: readonly Variable[], outputs: readonly Variable[], arrays: readonly NdArray[]) {
  const f = await compile({ inputs, outputs, engine: 'onnxruntime', threads: 1, onUnusedInput: 'ignore' });
  const results = await f.run(arrays);
  await f.dispose();
  return results;
}

describe.each(goldens)('$name gives what PyTorch gives (1.9-15, 1.9-17)', (golden) => {
  const [, ...sizes] = golden.shape;
  const brick =
    golden.name === 'BatchNormalization'
      ? new BatchNormalization({ inputDim: sizes, epsilon: EPSILON })
      : new SpatialBatchNormalization({ inputDim: sizes, epsilon: EPSILON });
  brick.allocate();
  const shape = sizes.map((size, axis) => (axis === 0 ? size : 1));
  brick.parameterNamed('batch_norm_scale').setValue(values(shape, 1));
  brick.parameterNamed('batch_norm_shift').setValue(values(shape, 2));
  brick.populationMean.setValue(values(shape, 4));
  brick.populationStdev.setValue(values(shape, 5, (value) => Math.abs(value) + 0.5));
  const input = tensor('input', 'float32', [null, ...sizes]);
  const [x, weighting] = [values(golden.shape, 0), values(golden.shape, 3)];

  test('in evaluation, by the statistics of the population', async () => {
    const [evaluated] = await run([input], [brick.apply(input)], [x]);
    expectClose(evaluated, golden.evaluated);
  });

  test.each(['built so', 'by a change of the graph'])(
    'in training, by those of the batch, with gradients: %s',
    async (how) => {
      const built = how === 'built so';
      const output = built
        ? batchNormalization(brick, () => brick.apply(input))
        : (applyBatchNormalization(new ComputationGraph(brick.apply(input))).graph.outputs[0] ?? input);
      const weights = tensor('weights', 'float32', output.shape);
      const gradients = grad(sum(mul(output, weights)), [input, ...brick.parameters]);
      const estimates = getBatchNormalizationUpdates(new ComputationGraph(output));
      expect(estimates.map(([population]) => population)).toEqual([brick.populationMean, brick.populationStdev]);
      const outputs = [output, ...gradients, ...estimates.map(([, estimate]) => estimate)];
      const [trained, ...rest] = await run([input, weights], outputs, [x, weighting]);
      expectClose(trained, golden.trained);
      for (const [at, expected] of [...golden.gradients, golden.mean, golden.stdev].entries())
        expectClose(rest[at], expected);
    },
  );
});

describe('batch normalization', () => {
  const brick = new BatchNormalization({ inputDim: 3 });
  const other = new BatchNormalization({ name: 'other', inputDim: 3 });
  const x = matrix('x');

  test('is in training mode where it was named, or a brick above it, and only then (1.6-01)', () => {
    const mlp = new BatchNormalizedMLP([new Tanh(), null], { dims: [3, 4, 2] });
    const estimates = (output: Variable): number => select(output).role(BATCH_NORM_MINIBATCH_ESTIMATE).count;
    expect(estimates(mlp.apply(x))).toBe(0);
    expect(estimates(batchNormalization([mlp], () => mlp.apply(x)))).toBe(4);
    expect(batchNormalization(brick, () => [estimates(brick.apply(x)), estimates(other.apply(x))])).toEqual([2, 0]);
    expect(() =>
      batchNormalization(brick, () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(estimates(brick.apply(x))).toBe(0);
  });

  test('is found by the roles of what it subtracts and divides by (1.6-02)', () => {
    const graph = new ComputationGraph(other.apply(brick.apply(x)));
    const change = applyBatchNormalization(graph);
    expect(change.changes).toHaveLength(4);
    for (const role of [BATCH_NORM_OFFSET, BATCH_NORM_DIVISOR]) {
      expect(select(change.graph).role(role).eachRole(BATCH_NORM_MINIBATCH_ESTIMATE).count).toBe(2);
      expect(select(graph).role(role).count).toBe(2);
    }
    expect(applyBatchNormalization(change.graph).changes).toEqual([]);
  });

  test('tells of its updates, of a brick that is applied twice only where it is asked to (1.6-03)', () => {
    const twice = new ComputationGraph(batchNormalization(brick, () => brick.apply(brick.apply(x))));
    expect(() => getBatchNormalizationUpdates(new ComputationGraph(brick.apply(x)))).toThrow('is in training mode');
    expect(() => getBatchNormalizationUpdates(twice)).toThrow('/batchnormalization is applied several times');
    expect(getBatchNormalizationUpdates(twice, { allowDuplicates: true })).toHaveLength(4);
  });

  test('has what it is told to have', () => {
    const names = (options: ConstructorParameters<typeof BatchNormalization>[0]): string[] => {
      const made = new BatchNormalization({ inputDim: 2, ...options });
      made.allocate();
      return [...made.parameters, ...made.states].map((variable) => String(variable.name));
    };
    expect(names({})).toEqual(['batch_norm_scale', 'batch_norm_shift', 'population_mean', 'population_stdev']);
    expect(names({ meanOnly: true })).toEqual(['batch_norm_shift', 'population_mean']);
    expect(names({ learnScale: false, learnShift: false })).toEqual(['population_mean', 'population_stdev']);
    const wrong = new BatchNormalization({ inputDim: [2, 3], broadcastable: [true] });
    expect(() => wrong.allocate()).toThrow('broadcastable has 1 entries but an example has 2 axes');
  });

  test('is a layer of images among others (1.9-16)', () => {
    const layer = new SpatialBatchNormalization();
    const layers = [new Convolutional({ filterSize: 2, numFilters: 5 }), layer, new Tanh()];
    const sequence = new ConvolutionalSequence(layers, { numChannels: 1, imageSize: [4, 4] });
    sequence.allocate();
    expect([layer.numChannels, layer.populationMean.shape, sequence.getDim('output')]).toEqual([
      5,
      [5, 1, 1],
      [5, 3, 3],
    ]);
  });

  test('comes before each activation of an MLP, which has no biases then (1.9-18), and is copied with it', () => {
    const mlp = new BatchNormalizedMLP([new Tanh(), null], { dims: [3, 4, 2], learnScale: false });
    const copy = mlp.copy('twin');
    for (const one of [mlp, copy]) one.allocate();
    const paths = [...select(copy.apply(x)).where(({ name }) => name === 'batch_norm_shift')].map(String);
    expect(paths).toHaveLength(2);
    expect(copy.children.map(({ name }) => name)).toEqual(mlp.children.map(({ name }) => name));
    expect(mlp.children.map(({ name }) => name)).toContain('batch_norm_activation_1');
    expect(mlp.linearTransformations.every(({ parameters }) => parameters.length === 1)).toBe(true);
  });
});

describe('training with batch normalization', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'longrun-bn-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  function experiment(stopAt?: number): MainLoop {
    const random = new RandomStreams(1);
    const mlp = new BatchNormalizedMLP([new Tanh(), null], {
      dims: [3, 5, 2],
      weightsInit: new IsotropicGaussian(0.5),
    });
    mlp.initialize(random);
    const logits = batchNormalization(mlp, () => mlp.apply(matrix('features')));
    const cost = mean(new Softmax().categoricalCrossEntropy(lvector('targets'), logits));
    const algorithm = new GradientDescent({ cost, stepRule: new Scale({ learningRate: 0.1 }) });
    const estimates = getBatchNormalizationUpdates(new ComputationGraph(cost));
    algorithm.addUpdates(
      estimates.map(([population, estimate]) => [population, add(mul(population, 0.5), mul(estimate, 0.5))]),
    );
    return new MainLoop({
      algorithm,
      dataStream: new DatasetStream(tinyDataset(20), new SequentialScheme(20, 5)),
      engine: 'reference',
      threads: 1,
      extensions: [new FinishAfter({ afterNBatches: 10 }), new StopAt(stopAt)],
    });
  }

  test('goes on from a checkpoint to the same parameters and the same statistics of the population', async () => {
    const undisturbed = experiment();
    await undisturbed.run();
    const { parameters } = await undisturbed.arrays();
    const stdev = parameters.get('/batchnormalizedmlp/batch_norm_activation_0/batchnormalization.population_stdev');
    expect(Array.from(stdev?.data ?? [], Number).every((value) => value > 0 && value !== 1)).toBe(true);
    const first = experiment(7);
    expect(await first.run()).toBe('stopped');
    await writeSnapshot(first, path.join(folder, 'seven'));
    const successor = experiment();
    await restoreSnapshot(successor, path.join(folder, 'seven'));
    await successor.run();
    expect(await successor.arrays()).toEqual(await undisturbed.arrays());
  });
});
