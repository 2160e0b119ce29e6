import type { Batch } from '@longrun/fuel';
import { ndarray } from '@longrun/serialization';
import {
  mean,
  mul,
  scalar,
  shared,
  square,
  sub,
  sum,
  vector,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { float32 } from '../../test/tiny-experiment.js';
import { addRole, ALGORITHM_BUFFER, ALGORITHM_HYPERPARAMETER, hasRoles, PARAMETER } from '../roles.js';
import { Adam } from './step-rules/adam.js';
import { forParameter } from './algorithm-state.js';
import { CompositeRule } from './step-rules/composite-rule.js';
import { GradientDescent } from './gradient-descent.js';
import { BasicMomentum, Momentum } from './step-rules/momentum.js';
import { Scale } from './step-rules/scale.js';
import type { StepRule } from './step-rules/step-rule.js';
import { UpdatesAlgorithm } from './updates-algorithm.js';

const compute = { engine: 'reference', threads: 1 } as const;
const EMPTY: Batch = { columns: new Map() };

function parameter(name: string, values: readonly number[]): SharedVariable {
  const variable = shared(float32([values.length], values), name);
  addRole(variable, PARAMETER);
  return variable;
}

/** The values of a parameter after each of some steps, the gradient of which is the parameter itself. */
async function trace(rule: StepRule, start: number, steps: number): Promise<number[]> {
  const w = parameter('w', [start]);
  const algorithm = new GradientDescent({ cost: mul(sum(square(w)), 0.5), stepRule: rule });
  await algorithm.initialize(compute);
  const values: number[] = [];
  for (let step = 0; step < steps; step += 1) {
    await algorithm.processBatch(EMPTY);
    values.push(Number((await w.getValue()).data[0]));
  }
  return values;
}

function closeTo(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [at, value] of actual.entries()) expect(value).toBeCloseTo(expected[at] ?? Number.NaN, 5);
}

describe('step rules', () => {
  test('Scale goes down the gradient by the learning rate', async () => {
    closeTo(await trace(new Scale({ learningRate: 0.25 }), 8, 3), [6, 4.5, 3.375]);
    closeTo(await trace(new Scale(), 8, 1), [0]);
  });

  test('BasicMomentum and Momentum add up velocities', async () => {
    let [w, velocity] = [8, 0];
    const expected = Array.from({ length: 4 }, () => {
      velocity = 0.5 * velocity + 0.1 * w;
      return (w -= velocity);
    });

    closeTo(await trace(new Momentum({ learningRate: 0.1, momentum: 0.5 }), 8, 4), expected);
    const composed = new CompositeRule([new Scale({ learningRate: 0.1 }), new BasicMomentum({ momentum: 0.5 })]);
    closeTo(await trace(composed, 8, 4), expected);
  });

  test('Adam follows the formula of Blocks, decayFactor included', async () => {
    const [rate, beta1, beta2, epsilon, decay] = [0.1, 0.9, 0.99, 1e-3, 0.8];
    let [w, mean1, mean2] = [2, 0, 0];
    const expected = [1, 2, 3, 4].map((time) => {
      const decayed = beta1 * decay ** (time - 1);
      mean1 = decayed * mean1 + (1 - decayed) * w;
      mean2 = beta2 * mean2 + (1 - beta2) * w ** 2;
      const corrected = (rate * Math.sqrt(1 - beta2 ** time)) / (1 - decayed ** time);
      return (w -= (corrected * mean1) / (Math.sqrt(mean2) + epsilon));
    });

    closeTo(await trace(new Adam({ learningRate: rate, beta1, beta2, epsilon, decayFactor: decay }), 2, 4), expected);
  });

  test('the settings are shared variables that can be changed while training', async () => {
    const rule = new Scale({ learningRate: 1 });
    rule.learningRate.setValue(ndarray('float64', [], Float64Array.of(0.5)));

    closeTo(await trace(rule, 8, 1), [4]);
    expect(hasRoles(rule.learningRate, [ALGORITHM_HYPERPARAMETER])).toBe(true);
  });

  test('Adam has two buffers for each parameter and one time for all', () => {
    const [v, w] = [parameter('v', [1, 2]), parameter('w', [3])];
    const cost = sum(mul(sum(square(v)), w));
    const { sharedVariables } = new GradientDescent({ cost, stepRule: new Adam() });

    expect(sharedVariables.map(String).toSorted()).toEqual([
      'adam.beta1',
      'adam.beta2',
      'adam.decay_factor',
      'adam.epsilon',
      'adam.learning_rate',
      'adam.mean',
      'adam.mean',
      'adam.time',
      'adam.variance',
      'adam.variance',
      'v',
      'w',
    ]);
    const buffer = sharedVariables.find((variable) => variable.name === 'adam.mean' && forParameter(variable) === v);
    expect(buffer?.shape).toEqual([2]);
    expect(buffer && hasRoles(buffer, [ALGORITHM_BUFFER])).toBe(true);
  });
});

describe('gradient descent', () => {
  test('trains the parameters of the cost, or those it is told', () => {
    const [v, w] = [parameter('v', [1]), parameter('w', [1])];
    const other = shared(1, 'other');
    const cost = sum(mul(mul(v, w), other));

    expect(new GradientDescent({ cost }).parameters).toEqual([v, w]);
    expect(new GradientDescent({ cost, parameters: [w] }).parameters).toEqual([w]);
  });

  test('takes gradients in place of a cost', async () => {
    const [v, w] = [parameter('v', [5]), parameter('w', [5])];
    const gradients = new Map([
      [v, mul(v, 0.2)],
      [w, mul(w, 0.4)],
    ]);
    const both = new GradientDescent({ gradients });
    await both.initialize(compute);
    await both.processBatch(EMPTY);

    expect([(await v.getValue()).data[0], (await w.getValue()).data[0]]).toEqual([4, 3]);
    expect(new GradientDescent({ gradients, parameters: [w] }).parameters).toEqual([w]);
    expect(() => new GradientDescent({ gradients, parameters: [parameter('u', [1])] })).toThrow(
      'GradientDescent: there is no gradient for u; add it',
    );
  });

  test('takes known gradients and constants, as grad does', () => {
    const w = parameter('w', [2]);
    const hidden = square(w);
    const cost = sum(mul(hidden, w));
    const full = new GradientDescent({ cost });
    const partial = new GradientDescent({ cost, considerConstant: [hidden] });

    expect(partial.gradients.get(w)).not.toBe(full.gradients.get(w));
    expect(() => new GradientDescent({ cost: sum(hidden), considerConstant: [hidden] })).toThrow(/not depend on/);
  });

  test('needs a cost or gradients, and something to train', () => {
    const w = parameter('w', [1]);

    expect(() => new GradientDescent({})).toThrow('GradientDescent: give either a cost or gradients');
    expect(() => new GradientDescent({ cost: sum(w), gradients: new Map([[w, w]]) })).toThrow(
      'either a cost or gradients',
    );
    expect(() => new GradientDescent({ cost: sum(vector('x')) })).toThrow('there are no parameters to train');
  });

  test('is compiled once, and before batches', async () => {
    const w = parameter('w', [1]);
    const algorithm = new GradientDescent({ cost: sum(w) });

    await expect(algorithm.processBatch(EMPTY)).rejects.toThrow(
      'GradientDescent is not initialized; call initialize() first',
    );
    await algorithm.initialize(compute);
    await algorithm.initialize(compute);
    expect(() => algorithm.addUpdates([])).toThrow('GradientDescent.addUpdates: the function is compiled already');
    expect(() => algorithm.observe([w])).toThrow('call it before initialize()');
  });
});

describe('observed variables', () => {
  test('have the value before the update of the same step', async () => {
    const w = parameter('w', [4]);
    const x = scalar('x');
    const cost = mean(mul(sub(w, x), 1));
    const algorithm = new GradientDescent({ cost, stepRule: new Scale({ learningRate: 1 }) });
    algorithm.observe([cost]);
    await algorithm.initialize(compute);
    const values: number[] = [];
    for (const x0 of [1, 2]) {
      await algorithm.processBatch({ columns: new Map([['x', float32([], [x0])]]) });
      values.push(Number(algorithm.observed(cost).data[0]));
    }

    expect(values).toEqual([3, 1]);
    expect(() => algorithm.observed(x)).toThrow('x was not observed');
  });
});

describe('updates', () => {
  test('of other shared variables can be added', async () => {
    const [counter, w] = [shared(0, 'counter'), parameter('w', [1])];
    const algorithm = new UpdatesAlgorithm({ updates: [[counter, sum(w)]] });
    const next: Variable = mul(w, 2);
    algorithm.addUpdates([[w, next]]);
    await algorithm.initialize(compute);
    await algorithm.processBatch(EMPTY);
    await algorithm.processBatch(EMPTY);

    expect([(await counter.getValue()).data[0], (await w.getValue()).data[0]]).toEqual([2, 4]);
    expect(
      () =>
        new UpdatesAlgorithm({
          updates: [
            [w, next],
            [w, next],
            [w, mul(w, 3)],
          ],
        }),
    ).toThrow('w has another update already');
  });
});
