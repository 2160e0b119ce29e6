import { ndarray } from '@longrun/serialization';
import { compile, matrix, mean, mul, shared, SharedVariable, square } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { Tanh } from '../../bricks/activations.js';
import { MLP } from '../../bricks/mlp.js';
import { BIAS, WEIGHT } from '../../roles.js';
import { select } from '../../selection/selection.js';
import { forParameter } from '../algorithm-state.js';
import { GradientDescent } from '../gradient-descent.js';
import { Adam } from './adam.js';
import { AdamW, AMSGrad } from './adam-w.js';
import { CompositeRule } from './composite-rule.js';
import { StepClipping } from './clipping.js';
import { GradientAccumulation } from './gradient-accumulation.js';
import { GradualFreezing, type FrozenSpan } from './gradual-freezing.js';
import { Lookahead } from './lookahead.js';
import { Scale } from './scale.js';
import type { StepRule } from './step-rule.js';

const x = matrix('x');
const batch = ndarray(
  'float32',
  [4, 2],
  Float32Array.from({ length: 8 }, (_, at) => Math.sin(at * 1.7)),
);

/** An MLP from the same parameters each time, and its cost. */
function model() {
  const mlp = new MLP([new Tanh(), null], { dims: [2, 3, 1] });
  mlp.allocate();
  const parameters = mlp.linearTransformations.flatMap(({ parameters: own }) => own);
  for (const parameter of parameters) {
    const shape = parameter.shape.map(Number);
    const data = Float32Array.from({ length: shape.reduce((size, one) => size * one, 1) }, (_, at) => Math.cos(at));
    parameter.setValue(ndarray('float32', shape, data));
  }
  return { cost: mean(square(mlp.apply(x))), parameters };
}

async function valueOf(variable: SharedVariable): Promise<number[]> {
  return Array.from((await variable.getValue()).data, Number);
}

/** The values of variables after each of some steps. */
async function traced(
  algorithm: GradientDescent,
  watched: readonly SharedVariable[],
  steps: number,
): Promise<string[][]> {
  const f = await compile({ inputs: [x], outputs: [], updates: algorithm.updates, engine: 'reference', threads: 1 });
  const traces: string[][] = [];
  for (let step = 0; step < steps; step += 1) {
    await f.run([batch]);
    traces.push(await Promise.all(watched.map(async (variable) => String(await valueOf(variable)))));
  }
  await f.dispose();
  return traces;
}

/** Trains under spans that are given for what the selection of weights chooses; watches its first, and all that the rule remembers of it. */
async function ofFirstWeight(spans: readonly Omit<FrozenSpan, 'parameters'>[]): Promise<string[]> {
  const { cost } = model();
  const weights = select(cost).role(WEIGHT);
  const rule = new GradualFreezing(
    new AdamW({ learningRate: 0.1 }),
    spans.map((span) => ({ ...span, parameters: weights })),
  );
  const algorithm = new GradientDescent({ cost, stepRule: rule });
  const [first] = algorithm.parameters.filter((parameter) => weights.has(parameter));
  if (first === undefined) throw new Error('there is a weight');
  const remembered = algorithm.sharedVariables.filter((variable) => forParameter(variable) === first);
  expect(remembered.length).toBeGreaterThan(1);
  return (await traced(algorithm, [first, ...remembered], 8)).map(String);
}

test('a parameter keeps its bits, and what is remembered of it, while it is frozen, and is trained before and after', async () => {
  const traces = await ofFirstWeight([{ from: 2, until: 4 }, { from: 6 }]);
  // Steps 2 and 3 are frozen, and all from 6 on.
  expect(traces[2]).toBe(traces[1]);
  expect(traces[3]).toBe(traces[1]);
  expect(traces.slice(6)).toEqual([traces[5], traces[5]]);
  expect(new Set(traces).size).toBe(4);
});

test('frozen from the start it is as it was', async () => {
  const [first, ...others] = await ofFirstWeight([{ until: 3 }]);
  expect(others.slice(0, 2)).toEqual([first, first]);
  expect(new Set(others.slice(1)).size).toBe(6);
});

type Freeze = (rule: StepRule, spans: readonly Omit<FrozenSpan, 'parameters'>[]) => StepRule;

/** What two parameters are, each value once, as they are trained for 8 steps; the gradient of each depends on nothing but itself. `make` may freeze the first. */
async function valuesOfTwo(make: (freeze: Freeze) => StepRule, mayFreeze: boolean): Promise<readonly string[][]> {
  const [first, second] = [0.3, 1.3].map((value) => shared(ndarray('float32', [2], Float32Array.of(value, -2)), 'p'));
  if (first === undefined || second === undefined) throw new Error('there are two');
  const freeze: Freeze = (rule, spans) =>
    mayFreeze
      ? new GradualFreezing(
          rule,
          spans.map((span) => ({ ...span, parameters: [first] })),
        )
      : rule;
  const gradients = new Map([first, second].map((parameter) => [parameter, mul(parameter, 2)]));
  const { updates } = new GradientDescent({ gradients, stepRule: make(freeze) });
  const f = await compile({ inputs: [], outputs: [], updates, engine: 'reference', threads: 1 });
  const values = [first, second].map(() => new Set<string>());
  const note = async (): Promise<void> => {
    for (const [at, parameter] of [first, second].entries()) values[at]?.add(String(await valueOf(parameter)));
  };
  await note();
  for (let step = 0; step < 8; step += 1) {
    await f.run([]);
    await note();
  }
  await f.dispose();
  return values.map((all) => [...all]);
}

describe.each<readonly [string, () => StepRule]>([
  ['Adam', () => new Adam({ learningRate: 0.1, decayFactor: 0.9 })],
  ['AdamW', () => new AdamW({ learningRate: 0.1 })],
  ['AMSGrad', () => new AMSGrad({ learningRate: 0.1 })],
  ['Adam before others', () => new CompositeRule([new Adam({ learningRate: 0.1 }), new Scale({ learningRate: 0.5 })])],
])('under %s the steps of a parameter are those that it has had:', (_, rule) => {
  test.each<readonly [string, number, (freeze: Freeze) => StepRule]>([
    ['trained late, and frozen once more', 4, (freeze) => freeze(rule(), [{ until: 3 }, { from: 5, until: 6 }])],
    ['frozen twice over', 5, (freeze) => freeze(freeze(rule(), [{ until: 2 }]), [{ from: 3, until: 4 }])],
    ['in steps of two batches', 2, (freeze) => new GradientAccumulation(freeze(rule(), [{ until: 2 }]), { every: 2 })],
  ])('%s', async (_what, steps, make) => {
    const [late = [], other] = await valuesOfTwo(make, true);
    const [whole = [], always] = await valuesOfTwo(make, false);
    expect(late).toHaveLength(1 + steps);
    expect(late).toEqual(whole.slice(0, 1 + steps));
    expect(other).toEqual(always);
  });
});

test('under Lookahead, too, a parameter goes on from where it was frozen', async () => {
  const { cost } = model();
  const weights = select(cost).role(WEIGHT);
  const rule = new Lookahead(new Scale({ learningRate: 1e-9 }), { every: 2 });
  const stepRule = new GradualFreezing(rule, [{ parameters: weights, until: 3 }]);
  const algorithm = new GradientDescent({ cost, stepRule });
  const traces = await traced(
    algorithm,
    [...weights].filter((weight) => weight instanceof SharedVariable),
    6,
  );

  // Steps are too small to be seen.
  expect(new Set(traces.map(String)).size).toBe(1);
});

test('to freeze some for good is to train the others, also where a norm is of all', async () => {
  const clipped = (): StepRule =>
    new CompositeRule([new StepClipping({ threshold: 0.1 }), new Scale({ learningRate: 0.5 })]);
  const [one, other] = [model(), model()];
  const biases = select(one.cost).role(BIAS);
  const frozen = new GradientDescent({
    cost: one.cost,
    stepRule: new GradualFreezing(clipped(), [{ parameters: biases }]),
  });
  const weights = select(other.cost).role(WEIGHT);
  const restricted = new GradientDescent({
    cost: other.cost,
    parameters: other.parameters.filter((parameter) => weights.has(parameter)),
    stepRule: clipped(),
  });
  const traces = await traced(frozen, one.parameters, 4);
  expect(traces).toEqual(await traced(restricted, other.parameters, 4));
  expect(new Set(traces.map(String)).size).toBe(4);
});

test('what cannot be is refused', () => {
  const { cost, parameters } = model();
  const scale = new Scale();
  expect(() => new GradualFreezing(scale, [{ parameters, from: 3, until: 3 }])).toThrow(
    'gradualfreezing: span 0 is from 3 until 3; let it end after it begins',
  );
  expect(() => new GradualFreezing(scale, [{ parameters: select(cost).path('/other.W') }])).toThrow(
    'gradualfreezing: span 0 has no parameters; select some that are trained',
  );
  const stepRule = new GradualFreezing(scale, [{ parameters: select(cost).role(WEIGHT) }]);
  expect(() => new GradientDescent({ cost, parameters: parameters.slice(3), stepRule })).toThrow(
    'gradualfreezing: W is not trained; leave it out, or train it',
  );
});
