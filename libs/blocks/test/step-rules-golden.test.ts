import { readFileSync } from 'node:fs';

import { ndarray, type NdArray } from '@longrun/serialization';
import { shared, tensor, type SharedVariable, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import {
  AdaDelta,
  AdaGrad,
  AdamW,
  addRole,
  after,
  AMSGrad,
  CompositeRule,
  cosineDecay,
  exponentialDecay,
  GradientAccumulation,
  GradientDescent,
  GradualFreezing,
  inverseSquareRootDecay,
  linearDecay,
  linearWarmup,
  Lion,
  Lookahead,
  NesterovMomentum,
  PARAMETER,
  RemoveNotFinite,
  Restrict,
  RMSProp,
  Scale,
  Schedule,
  stepDecay,
  StepClipping,
  StepRule,
  VariableClipping,
  type Factor,
  type StepAndUpdates,
} from '../src/index.js';

type Values = Readonly<Record<string, readonly number[]>>;

/** See make-step-rules.py. */
const golden: {
  readonly start: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>>;
  readonly gradients: readonly Values[];
  readonly traces: Readonly<Record<string, readonly Values[]>>;
} = JSON.parse(readFileSync(new URL('goldens/step-rules.json', import.meta.url), 'utf8'));

function float64(shape: readonly number[], values: readonly number[]): NdArray {
  return ndarray('float64', shape, Float64Array.from(values));
}

/** The parameters as all begin, by name. */
function start(): Map<string, SharedVariable> {
  const parameters = Object.entries(golden.start).map(([name, { shape, values }]) => {
    const parameter = shared(float64(shape, values), name);
    addRole(parameter, PARAMETER);
    return [name, parameter] as const;
  });
  return new Map(parameters);
}

/** The parameters after each step by a rule, from gradients of each step. */
async function trace(
  make: (parameters: ReadonlyMap<string, SharedVariable>) => StepRule,
  gradients: readonly Values[] = golden.gradients,
): Promise<Record<string, number[]>[]> {
  const parameters = start();
  const inputs = new Map<SharedVariable, Variable>();
  for (const [name, parameter] of parameters) inputs.set(parameter, tensor(`g_${name}`, 'float64', parameter.shape));
  const algorithm = new GradientDescent({ gradients: inputs, stepRule: make(parameters) });
  await algorithm.initialize({ engine: 'onnxruntime', threads: 1 });
  const values: Record<string, number[]>[] = [];
  for (const step of gradients) {
    const columns = [...parameters].map(
      ([name, { shape }]) => [`g_${name}`, float64(shape.map(Number), step[name] ?? [])] as const,
    );
    await algorithm.processBatch({ columns: new Map(columns) });
    const now: Record<string, number[]> = {};
    for (const [name, parameter] of parameters) now[name] = Array.from((await parameter.getValue()).data, Number);
    values.push(now);
  }
  return values;
}

function expectClose(actual: readonly Values[], expected: readonly Values[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [step, values] of expected.entries()) {
    for (const [name, wanted] of Object.entries(values)) {
      for (const [at, value] of wanted.entries()) {
        const got = actual[step]?.[name]?.[at] ?? Number.NaN;
        expect(Math.abs(got - value), `${name}[${at}] after step ${step}: ${got}, not ${value}`).toBeLessThan(1e-12);
      }
    }
  }
}

/** Each rule that is compared with PyTorch or a formula, with the row of the inventory. */
const rules: Readonly<Record<string, readonly [row: string, make: () => StepRule]>> = {
  AdaDelta: ['1.11-15', () => new AdaDelta({ decayRate: 0.9, epsilon: 1e-4 })],
  AdaGrad: ['1.11-20', () => new AdaGrad({ learningRate: 0.1, epsilon: 1e-3 })],
  AdamW: ['', () => new AdamW({ learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1 })],
  AMSGrad: ['', () => new AMSGrad({ learningRate: 0.05, beta1: 0.5, beta2: 0.6, epsilon: 1e-6 })],
  NesterovMomentum: ['1.19-01, 1.19-02', () => new NesterovMomentum({ learningRate: 0.1, momentum: 0.7 })],
  GradientAccumulation: [
    '',
    () => new GradientAccumulation(new AdamW({ learningRate: 0.05, weightDecay: 0 }), { every: 3 }),
  ],
  RMSProp: ['1.11-16, 1.11-17', () => new RMSProp({ learningRate: 0.05, decayRate: 0.8, maxScaling: 10 })],
  Lion: ['', () => new Lion({ learningRate: 0.01, beta2: 0.98, weightDecay: 0.1 })],
  StepClipping: ['1.11-18', () => new StepClipping({ threshold: 2 })],
  Lookahead: ['', () => new Lookahead(new Scale({ learningRate: 0.3 }), { every: 3 })],
  Schedule: [
    '',
    () =>
      new CompositeRule([
        new Scale({ learningRate: 0.3 }),
        new Schedule(after(linearWarmup(3), 3, cosineDecay(4, 0.1))),
      ]),
  ],
};

describe('a step rule takes parameters where PyTorch, or its formula, takes them', () => {
  test.each(Object.entries(rules).map(([name, [row, make]]) => ({ name, row, make })))(
    '$name $row',
    async ({ name, make }) => {
      expectClose(await trace(make), golden.traces[name] ?? []);
    },
  );

  test('GradualFreezing of parameters that have no gradients at some steps', async () => {
    const make = (parameters: ReadonlyMap<string, SharedVariable>): StepRule => {
      const [W, b] = ['W', 'b'].map((name) => [...parameters].flatMap(([of, one]) => (of === name ? [one] : [])));
      const rule = new AdamW({ learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1 });
      return new GradualFreezing(rule, [
        { parameters: W ?? [], until: 3 },
        { parameters: b ?? [], from: 2, until: 4 },
      ]);
    };
    expectClose(await trace(make), golden.traces['GradualFreezing'] ?? []);
  });

  test('VariableClipping 1.11-19, restricted 1.11-23 to the parameters that have the axis', async () => {
    const make = (parameters: ReadonlyMap<string, SharedVariable>): StepRule => {
      const W = parameters.get('W');
      if (W === undefined) throw new Error('no W');
      return new CompositeRule([
        new Scale({ learningRate: 0.3 }),
        new Restrict(new VariableClipping({ threshold: 1.5, axis: 0 }), [W]),
      ]);
    };
    expectClose(await trace(make), golden.traces['VariableClipping'] ?? []);
  });

  test('a rule of a program, written for one parameter (1.11-09)', async () => {
    class Halved extends StepRule {
      override computeStep(_parameter: SharedVariable, previousStep: Variable): StepAndUpdates {
        return new Scale({ learningRate: 0.5 }).computeStep(_parameter, previousStep);
      }
    }
    expectClose(await trace(() => new Halved()), await trace(() => new Scale({ learningRate: 0.5 })));
    class Forgotten extends StepRule {}
    await expect(trace(() => new Forgotten())).rejects.toThrow(
      'forgotten: there is no step for W; a step rule overrides computeStep',
    );
  });
});

describe('what is not finite (1.11-22)', () => {
  const broken = golden.gradients.map((step, at) => (at === 1 ? { ...step, W: [1, Number.NaN, 1, 1, 1, 1] } : step));
  const large = golden.gradients.map((step, at) => (at === 1 ? { ...step, b: [1e308, 1e308, 0] } : step));

  test('is left out, of the one parameter and at the one step', async () => {
    const made = await trace(() => new RemoveNotFinite(), broken);
    const [first, second] = made;
    expect(second?.['W']).toEqual(first?.['W']);
    expect(second?.['b']).not.toEqual(first?.['b']);
    expect(made.at(-1)?.['W']?.every(Number.isFinite)).toBe(true);
    const scaled = await trace(() => new RemoveNotFinite({ scaler: 0.5 }), broken);
    expect(scaled[1]?.['W']).toEqual(scaled[0]?.['W']?.map((value) => value / 2));
  });

  test('is not what is only large', async () => {
    const made = await trace(
      () => new CompositeRule([new RemoveNotFinite(), new Scale({ learningRate: 1e-308 })]),
      large,
    );
    expect(made[1]?.['b']?.[0]).toBeCloseTo((made[0]?.['b']?.[0] ?? 0) - 1, 10);
  });
});

describe('misuse of rules is refused', () => {
  test.each<[string, () => unknown]>([
    ['stepclipping: the threshold is 0; give a number above 0', () => new StepClipping({ threshold: 0 })],
    ['basicrmsprop: maxScaling is -1', () => new RMSProp({ name: 'basicrmsprop', maxScaling: -1 })],
    ['gradientaccumulation: every is 1.5', () => new GradientAccumulation(new Scale(), { every: 1.5 })],
    ['restrict: there are no variables', () => new Restrict(new Scale(), [])],
    ['cosineDecay: 0 is no number of steps', () => cosineDecay(0)],
  ])('%s', (message, make) => {
    expect(make).toThrow(message);
  });

  test('an axis that a parameter has not, a variable that is not trained', async () => {
    await expect(trace(() => new VariableClipping({ threshold: 1, axis: 1 }))).rejects.toThrow(
      'b has 1 axes, none of which is 1',
    );
    const stranger = shared(1, 'stranger');
    await expect(trace(() => new Restrict(new Scale(), [stranger]))).rejects.toThrow('stranger is not trained');
  });
});

test.each<[string, Factor, readonly number[]]>([
  ['linearDecay', linearDecay(4, 0.5), [1, 0.875, 0.75, 0.625, 0.5, 0.5]],
  ['stepDecay', stepDecay(2, 0.1), [1, 1, 0.1, 0.1, 0.01, 0.01]],
  ['exponentialDecay', exponentialDecay(2, 0.25), [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]],
  ['inverseSquareRootDecay', inverseSquareRootDecay(2), [1, 1, (2 / 3) ** 0.5, 0.5 ** 0.5, 0.4 ** 0.5, (1 / 3) ** 0.5]],
  ['linearWarmup', linearWarmup(4), [0.25, 0.5, 0.75, 1, 1, 1]],
])('the factors of %s', async (_, factor, expected) => {
  const ones = golden.gradients.map((step) => ({ ...step, b: [1, 1, 1] }));
  const made = await trace(() => new Schedule(factor), ones);
  const values = [golden.start['b']?.values[0] ?? 0, ...made.map(({ b = [] }) => b[0] ?? Number.NaN)];
  const factors = values.slice(0, -1).map((value, at) => value - (values[at + 1] ?? Number.NaN));
  for (const [at, one] of expected.entries()) expect(factors[at]).toBeCloseTo(one, 12);
});
