import { ndarray, RandomStreams, type NdArray } from '@longrun/serialization';
import { GraphRandomStreams, identity, lvector, matrix, mean, shared, square, sum, vector } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { GradientDescent } from '../algorithms/gradient-descent.js';
import { Tanh } from '../bricks/activations.js';
import { MLP } from '../bricks/mlp.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import { Constant } from '../initialization/constant.js';
import { IsotropicGaussian } from '../initialization/isotropic-gaussian.js';
import { COLLECTED, COLLECTOR, DROPOUT, INPUT, rolesOf, WEIGHT } from '../roles.js';
import { replacementOf } from '../selection/graph-change.js';
import { select } from '../selection/selection.js';
import { collectParameters } from './collect-parameters.js';
import { applyDropout } from './dropout.js';
import { applyNoise } from './noise.js';

const random = (): GraphRandomStreams => new GraphRandomStreams(1, 'noise');

/** The outputs of a graph of `x` in each of some runs, in which its updates are made. */
async function runs(graph: ComputationGraph, x: NdArray, count: number): Promise<number[][]> {
  const f = await graph.getFunction({ engine: 'onnxruntime', threads: 1 });
  const values: number[][] = [];
  for (let run = 0; run < count; run += 1) values.push(Array.from((await f.run([x]))[0]?.data ?? [], Number));
  await f.dispose();
  return values;
}

function moments(values: readonly number[]): { readonly mean: number; readonly std: number } {
  const center = values.reduce((total, value) => total + value, 0) / values.length;
  const spread = values.reduce((total, value) => total + (value - center) ** 2, 0) / values.length;
  return { mean: center, std: Math.sqrt(spread) };
}

const x = vector('x');
const ones = ndarray('float32', [4000], new Float32Array(4000).fill(1));

describe('applyNoise (1.5-13)', () => {
  const change = applyNoise(new ComputationGraph(identity(x)), [x], 0.25, random());

  test('adds Gaussian noise of the level, new with each run', async () => {
    const [first = [], second = []] = await runs(change.graph, ones, 2);
    expect(moments(first).mean).toBeCloseTo(1, 1);
    expect(moments(first).std).toBeCloseTo(0.25, 2);
    expect(first).not.toEqual(second);
    expect([...change.graph.updates.keys()].map(({ name }) => name)).toEqual(['noise_0']);
  });

  test('to weights leaves them as they are, and gradients go to what is trained', () => {
    const mlp = new MLP([new Tanh(), null], { dims: [3, 4, 1] });
    mlp.allocate();
    const cost = mean(square(mlp.apply(matrix('features'))));
    const noisy = applyNoise(new ComputationGraph(cost), select(cost).role(WEIGHT), 0.1, random());
    const [noisyCost = cost] = noisy.graph.outputs;
    const algorithm = new GradientDescent({ cost: noisyCost });
    expect(algorithm.parameters.map(({ name }) => name)).toEqual(
      new ComputationGraph(cost).parameters.map(({ name }) => name),
    );
    expect(algorithm.sharedVariables.map(({ name }) => name)).toEqual(expect.arrayContaining(['noise_0', 'noise_1']));
    expect(noisy.variables.map(replacementOf)).toEqual([...select(cost).role(WEIGHT)]);
  });

  test('of no standard deviation, or to integers, is refused', () => {
    const graph = new ComputationGraph(identity(x));
    expect(() => applyNoise(graph, [x], -1, random())).toThrow('applyNoise: the level is -1');
    expect(() => applyNoise(graph, [lvector('i')], 1, random())).toThrow(
      'i is int64; choose variables of a float dtype',
    );
  });
});

describe('applyDropout (1.5-15)', () => {
  test('sets a share to 0 and divides the others, so that means stay', async () => {
    const change = applyDropout(new ComputationGraph(identity(x)), [x], 0.2, random());
    const [first = [], second = []] = await runs(change.graph, ones, 2);
    expect([...new Set(first)].toSorted((a, b) => a - b)).toEqual([0, 1.25]);
    expect(first.filter((value) => value === 0).length / first.length).toBeCloseTo(0.2, 1);
    expect(first).not.toEqual(second);
    const [dropped = x] = change.variables;
    expect([rolesOf(dropped), replacementOf(dropped)]).toEqual([[DROPOUT], x]);
  });

  test('divides by what it is told', async () => {
    const change = applyDropout(new ComputationGraph(identity(x)), [x], 0.5, random(), { divisor: 1 });
    const [first = []] = await runs(change.graph, ones, 1);
    expect([...new Set(first)].toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  test('of inputs of bricks that follow each other, each by itself', async () => {
    const mlp = new MLP([null, null], { dims: [1, 1, 1], weightsInit: new Constant(1), biasesInit: new Constant(0) });
    mlp.initialize(new RandomStreams(1));
    const features = matrix('features');
    const output = mlp.apply(features);
    const inputs = select(output).role(INPUT).brick('linear_*').assertCount(2);
    const change = applyDropout(inputs.graph, inputs, 0.5, random());
    const [values = []] = await runs(change.graph, ndarray('float32', [4000, 1], ones.data), 1);
    // Both have to be kept.
    expect([...new Set(values)].toSorted((a, b) => a - b)).toEqual([0, 4]);
    expect(values.filter((value) => value === 4).length / values.length).toBeCloseTo(0.25, 1);
  });

  test.each([-0.1, 1, Number.NaN])('with probability %s is refused', (probability) => {
    expect(() => applyDropout(new ComputationGraph(identity(x)), [x], probability, random())).toThrow(
      `applyDropout: the probability is ${probability}; give one from 0 to below 1`,
    );
  });
});

describe('collectParameters (1.5-14)', () => {
  test('has a slice of one vector in the place of each, with the same values, to train', async () => {
    const mlp = new MLP([new Tanh(), null], {
      dims: [3, 4, 2],
      weightsInit: new IsotropicGaussian(1),
      biasesInit: new Constant(0.5),
    });
    mlp.initialize(new RandomStreams(1));
    const graph = new ComputationGraph(sum(square(mlp.apply(matrix('features')))));
    const collected = await collectParameters(graph, graph.parameters);
    expect(collected.graph.trainableParameters).toEqual([collected.collector]);
    expect(collected.collector.type.shape).toEqual([3 * 4 + 4 + 4 * 2 + 2]);
    expect(rolesOf(collected.collector)).toEqual([COLLECTOR]);
    expect(collected.variables.map((part) => [rolesOf(part), replacementOf(part)])).toEqual(
      graph.parameters.map((parameter) => [[COLLECTED], parameter]),
    );
    const features = ndarray('float32', [2, 3], Float32Array.of(1, -2, 3, 0.5, 0.25, -1));
    expect(await runs(collected.graph, features, 1)).toEqual(await runs(graph, features, 1));
    const [cost = x] = collected.graph.outputs;
    expect(new GradientDescent({ cost }).parameters).toEqual([collected.collector]);
  });

  test('of none, or of two dtypes, is refused', async () => {
    const [w, v] = [shared(ndarray('float32', [1]), 'w'), shared(ndarray('float64', [1]), 'v')];
    const graph = new ComputationGraph(identity(x));
    await expect(collectParameters(graph, [])).rejects.toThrow('there are no parameters');
    await expect(collectParameters(graph, [w, v])).rejects.toThrow('v is float64 but w is float32');
  });
});
