import { ndarray } from '@longrun/serialization';
import { compile, matrix, mean, square, type SharedVariable } from '@longrun/tensor';
import { expect, test } from 'vitest';

import { GradientDescent } from '../algorithms/gradient-descent.js';
import { Scale } from '../algorithms/step-rules/scale.js';
import { Linear } from '../bricks/linear.js';
import { ComputationGraph } from '../graph/computation-graph.js';
import { PARAMETER, WEIGHT } from '../roles.js';
import { select } from '../selection/selection.js';
import { ParameterAverage, type ParameterAverageOptions } from './parameter-average.js';

const x = matrix('x');
const ones = ndarray('float32', [2, 2], Float32Array.of(1, 1, 1, 1));

async function valueOf(variable: SharedVariable | undefined): Promise<number[]> {
  return Array.from((await variable?.getValue())?.data ?? [], Number);
}

/** A weight that halves the cost's root with each step, and its average. */
async function averaged(options: ParameterAverageOptions, steps: number) {
  const linear = new Linear({ inputDim: 2, outputDim: 1, useBias: false });
  linear.allocate();
  linear.W.setValue(ndarray('float32', [2, 1], Float32Array.of(8, 8)));
  const cost = mean(square(linear.apply(x)));
  const algorithm = new GradientDescent({ cost, stepRule: new Scale({ learningRate: 0.125 }) });
  const average = new ParameterAverage(select(cost).role(WEIGHT), options);
  algorithm.addUpdates(average.updatesFor(algorithm));
  const f = await compile({ inputs: [x], outputs: [], updates: algorithm.updates, engine: 'reference', threads: 1 });
  for (let step = 0; step < steps; step += 1) await f.run([ones]);
  await f.dispose();
  return { W: linear.W, average, cost, mean: average.averages.get(linear.W) };
}

test('averages are evaluated in the places of the parameters; before the first step these themselves', async () => {
  for (const [steps, expected] of [
    [0, 16 ** 2],
    // 4, 2 and 1, half and half.
    [3, 4 ** 2],
  ] as const) {
    const { average, cost } = await averaged({ decay: 0.5 }, steps);
    const change = average.applyTo(new ComputationGraph(cost));
    expect(change.changes).toHaveLength(1);
    const f = await change.graph.getFunction({ engine: 'reference', threads: 1 });
    expect((await f.run([ones]))[0]?.data[0]).toBe(expected);
    await f.dispose();
  }
});

test('averaging begins after so many steps', async () => {
  const { W, mean: value } = await averaged({ decay: 'mean', from: 2 }, 2);
  expect(await valueOf(value)).toEqual(await valueOf(W));
  // The third step and the fourth: 1 and 0.5.
  expect(await valueOf((await averaged({ decay: 'mean', from: 2 }, 4)).mean)).toEqual([0.75, 0.75]);
});

test('values are exchanged, and put back', async () => {
  const { W, average, mean: value } = await averaged({ decay: 0.5 }, 3);
  await average.swap();
  expect([await valueOf(W), await valueOf(value)]).toEqual([
    [2, 2],
    [1, 1],
  ]);
  await average.swap();
  expect([await valueOf(W), await valueOf(value)]).toEqual([
    [1, 1],
    [2, 2],
  ]);
  const early = await averaged({ decay: 0.5 }, 0);
  await expect(early.average.swap()).rejects.toThrow('there are no averages before the first step');
});

test('what cannot be is refused', async () => {
  const { W, cost } = await averaged({ decay: 0.5 }, 0);
  expect(() => new ParameterAverage([W], { decay: 1 })).toThrow(
    'ParameterAverage: decay is 1; give a number from 0 to',
  );
  expect(() => new ParameterAverage([W], { decay: 0.5, from: 0.5 })).toThrow('ParameterAverage: from is 0.5');
  expect(() => new ParameterAverage([], { decay: 0.5 })).toThrow('there are no parameters');
  expect(() => new ParameterAverage([x], { decay: 0.5 })).toThrow('ParameterAverage: x is no shared variable');
  const other = await averaged({ decay: 0.5 }, 0);
  const average = new ParameterAverage(select(other.cost).role(PARAMETER), { decay: 0.5 });
  expect(() => average.updatesFor(new GradientDescent({ cost }))).toThrow(
    'ParameterAverage: W is not trained; leave it out, or train it',
  );
});
