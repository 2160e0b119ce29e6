import { readFileSync } from 'node:fs';

import type { NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import { compile } from '../src/index.js';
import { mlp, batch, numbers, trainingStep } from './mlp.js';
import { present } from './op-laws.js';

interface Golden {
  readonly gradients: readonly {
    readonly dims: readonly number[];
    readonly batchSize: number;
    readonly cost: number;
    readonly misclassificationRate: number;
    readonly gradients: readonly (readonly number[])[];
  }[];
  readonly adam: readonly {
    readonly dims: readonly number[];
    readonly batchSize: number;
    readonly epsilon: number;
    readonly costs: readonly number[];
    readonly parameters: readonly (readonly number[])[];
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/mlp.json', import.meta.url), 'utf8'));

/** Sums of all elements with pseudo-random weights, and the norm, as in golden/make_mlp_golden.py. */
function projections(array: NdArray): number[] {
  const elements = Array.from(array.data, Number);
  const dot = (weights: readonly number[]): number =>
    elements.reduce((total, element, at) => total + element * (weights[at] ?? 0), 0);
  return [...[0, 1, 2].map((k) => dot(numbers(elements.length, 100 + k))), Math.sqrt(dot(elements))];
}

describe.each(golden.gradients)('the network $dims with a batch of $batchSize', (expected) => {
  const cases = [
    { engine: 'onnxruntime', dtype: 'float32', tolerance: 2e-5 },
    { engine: 'onnxruntime', dtype: 'float64', tolerance: 1e-10 },
    { engine: 'tfjs', dtype: 'float32', tolerance: 2e-5 },
    { engine: 'reference', dtype: 'float64', tolerance: 1e-10 },
  ] as const;

  // The reference engine takes half a minute for a large one.
  const weights = expected.dims.slice(1).reduce((sum, size, at) => sum + size * present(expected.dims[at]), 0);
  const feasible = cases.filter(({ engine }) => engine !== 'reference' || weights < 100_000);

  test.each(feasible)("has PyTorch's cost and gradients: $engine, $dtype", async ({ engine, dtype, tolerance }) => {
    const network = mlp(expected.dims, dtype);
    const f = await compile({
      inputs: [network.features, network.targets],
      outputs: [network.cost, network.misclassificationRate, ...network.gradients],
      engine,
      provider: 'cpu',
    });
    const [cost, rate, ...gradients] = await f.run(batch(network, expected.batchSize, 0));
    expect(Math.abs(Number(present(cost).data[0]) - expected.cost)).toBeLessThan(tolerance);
    expect(Math.abs(Number(present(rate).data[0]) - expected.misclassificationRate)).toBeLessThan(1e-6);
    expect(gradients).toHaveLength(expected.gradients.length);
    for (const [at, gradient] of gradients.entries()) {
      const wanted = present(expected.gradients[at]);
      for (const [k, found] of projections(gradient).entries()) {
        expect(Math.abs(found - present(wanted[k]))).toBeLessThan(tolerance);
      }
    }
  });
});

describe.each([
  { name: "PyTorch's, where epsilon is too small to matter", expected: present(golden.adam[0]) },
  { name: "Blocks', with epsilon beside the square root", expected: present(golden.adam[1]) },
])('three steps of Adam are $name', ({ expected }) => {
  test.each(['onnxruntime', 'reference'] as const)('%s', async (engine) => {
    const network = mlp(expected.dims, 'float64');
    const { train } = await trainingStep(network, { engine, epsilon: expected.epsilon });
    for (const [step, wanted] of expected.costs.entries()) {
      const [cost] = await train.run(batch(network, expected.batchSize, step));
      expect(Math.abs(Number(present(cost).data[0]) - wanted)).toBeLessThan(1e-9);
    }
    for (const [at, parameter] of network.parameters.entries()) {
      const wanted = present(expected.parameters[at]);
      const found = Array.from((await parameter.getValue()).data, Number);
      for (const [element, value] of found.entries())
        expect(Math.abs(value - present(wanted[element]))).toBeLessThan(1e-9);
    }
  });
});
