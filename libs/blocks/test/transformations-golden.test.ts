import { readFileSync } from 'node:fs';

import { ndarray, sizeOf, type NdArray } from '@longrun/serialization';
import {
  compile,
  constant,
  mean,
  square,
  tensor,
  withFloatX,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import {
  applyPenalty,
  ComputationGraph,
  GradientDescent,
  hessianTimesVectors,
  MLP,
  ParameterAverage,
  PARAMETER,
  Scale,
  select,
  Tanh,
  WEIGHT,
  type ParameterAverageOptions,
} from '../src/index.js';

/** See make-transformations.py. */
const golden: Readonly<
  Record<'l2' | 'l1OfWeights' | 'movingAverage' | 'mean' | 'hessianTimesVectors', readonly (readonly number[])[]>
> = JSON.parse(readFileSync(new URL('goldens/transformations.json', import.meta.url), 'utf8'));
const STEPS = 4;

function values(shape: readonly number[], seed: number): NdArray {
  return ndarray(
    'float64',
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, at) => Math.sin(at * 1.3 + seed)),
  );
}

interface Network {
  readonly x: Variable;
  readonly cost: Variable;
  /** W and b of both layers. */
  readonly parameters: readonly SharedVariable[];
}

function network(): Network {
  const mlp = new MLP([new Tanh(), null], { dims: [3, 4, 2] });
  withFloatX('float64', () => mlp.allocate());
  const parameters = mlp.linearTransformations.flatMap(({ parameters: own }) => own);
  for (const [seed, parameter] of parameters.entries()) parameter.setValue(values(parameter.shape.map(Number), seed));
  const x = tensor('x', 'float64', [null, 3]);
  const cost = mean(square(mlp.apply(x)));
  cost.name = 'cost';
  return { x, cost, parameters };
}

async function train(x: Variable, algorithm: GradientDescent, steps = STEPS): Promise<void> {
  const f = await compile({ inputs: [x], outputs: [], updates: algorithm.updates, engine: 'reference', threads: 1 });
  for (let step = 0; step < steps; step += 1) await f.run([values([5, 3], step)]);
  await f.dispose();
}

async function valuesOf(variables: readonly SharedVariable[]): Promise<number[][]> {
  return Promise.all(variables.map(async (variable) => Array.from((await variable.getValue()).data, Number)));
}

function close(expected: readonly (readonly number[])[]): unknown[] {
  return expected.map((list) => list.map((value) => expect.closeTo(value, 10)));
}

const rule = (): Scale => new Scale({ learningRate: 0.1 });

describe('penalties give what PyTorch gives:', () => {
  test('weight decay of all parameters', async () => {
    const { x, cost, parameters } = network();
    const { cost: penalized } = applyPenalty(new ComputationGraph(cost), parameters, { l2: 0.05 });
    await train(x, new GradientDescent({ cost: penalized, stepRule: rule() }));
    expect(await valuesOf(parameters)).toEqual(close(golden.l2));
  });

  test('the absolute values of what is selected', async () => {
    const { x, cost, parameters } = network();
    const graph = new ComputationGraph(cost);
    const { cost: penalized } = applyPenalty(graph, select(graph).role(WEIGHT), { l1: 0.01 });
    await train(x, new GradientDescent({ cost: penalized, stepRule: rule() }));
    expect(await valuesOf(parameters)).toEqual(close(golden.l1OfWeights));
  });
});

describe('averages of parameters are those of PyTorch:', () => {
  test.each<readonly ['movingAverage' | 'mean', ParameterAverageOptions]>([
    ['movingAverage', { decay: 0.7 }],
    ['mean', { decay: 'mean' }],
  ])('%s', async (name, options) => {
    const { x, cost, parameters } = network();
    const algorithm = new GradientDescent({ cost, stepRule: rule() });
    const average = new ParameterAverage(select(cost).role(PARAMETER), options);
    algorithm.addUpdates(average.updatesFor(algorithm));
    await train(x, algorithm);
    const averages = [...average.averages.values()];
    const inOrder = parameters.map((parameter) => average.averages.get(parameter) ?? parameter);
    expect(new Set(inOrder)).toEqual(new Set(averages));
    expect(await valuesOf(inOrder)).toEqual(close(golden[name]));
  });
});

test('a Hessian of two parameters together times vectors is that of PyTorch, and symmetric', async () => {
  const { x, cost } = network();
  const weights = select(cost).role(WEIGHT).assertCount(2).variables;
  const shapes = weights.map(({ shape }) => shape.map(Number));
  const vectors = shapes.map((shape, at) => constant(values(shape, 5 + at)));
  const others = shapes.map((shape, at) => constant(values(shape, 8 + at)));
  const products = [...hessianTimesVectors(cost, weights, vectors), ...hessianTimesVectors(cost, weights, others)];
  const f = await compile({ inputs: [x], outputs: products, engine: 'reference', threads: 1 });
  const results = (await f.run([values([5, 3], 0)])).map(({ data }) => Array.from(data, Number));
  await f.dispose();
  expect(results.slice(0, 2)).toEqual(close(golden.hessianTimesVectors));
  const inner = (along: typeof vectors, product: readonly number[][]): number => {
    const flat = along.flatMap(({ value }) => Array.from(value.data, Number));
    return product.flat().reduce((total, value, at) => total + value * (flat[at] ?? 0), 0);
  };
  expect(inner(others, results.slice(0, 2))).toBeCloseTo(inner(vectors, results.slice(2)), 10);
  expect(() => hessianTimesVectors(cost, weights, vectors.slice(1))).toThrow(
    'hessianTimesVectors: there are 1 vectors for 2 variables',
  );
});
