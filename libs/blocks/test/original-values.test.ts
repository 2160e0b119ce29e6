import { DatasetStream, IndexableDataset, SequentialScheme } from '@longrun/fuel';
import { ndarray, type NdArray } from '@longrun/serialization';
import {
  abs,
  add,
  compile,
  constant,
  dimension,
  grad,
  hessianTimesVector,
  identity,
  l2Norm,
  matrix,
  mean,
  min,
  mod,
  mul,
  pow,
  scalar,
  shared,
  square,
  sum,
  vector,
  type SharedVariable,
  type Variable,
} from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import {
  AdaDelta,
  AdaGrad,
  Adam,
  BasicMomentum,
  BasicRMSProp,
  batchConcatenate,
  batchMaximum,
  batchMean,
  batchMinimum,
  CompositeRule,
  ComputationGraph,
  DatasetEvaluator,
  EarlyStopping,
  FinishAfter,
  GradientDescent,
  MainLoop,
  Momentum,
  perplexity,
  RemoveNotFinite,
  Restrict,
  RMSProp,
  Scale,
  SharedVariableModifier,
  StepClipping,
  StepRule,
  TrackTheBest,
  TrainingExtension,
  UpdatesAlgorithm,
  VariableClipping,
  type LogRow,
  type StepAndUpdates,
} from '../src/index.js';
import { evaluate } from './evaluate.js';
import { sequential, tinyDataset, tinyExperiment } from './tiny-experiment.js';

// The numbers of the tests that the original Blocks has, at its last commit (c69c2dc, 2018); each line names the test that it is from. Bricks: original-values-of-bricks.test.ts.
// What we have otherwise on purpose is said where it is.

type Numbers = readonly number[];

/** As NumPy's `assert_allclose` has it, in float64. */
function expectClose(actual: Numbers, expected: Numbers, relative = 1e-7): void {
  expect(actual).toHaveLength(expected.length);
  for (const [at, value] of expected.entries()) {
    expect(Math.abs((actual[at] ?? Number.NaN) - value)).toBeLessThanOrEqual(relative * Math.abs(value));
  }
}

function float64(values: Numbers, shape: readonly number[] = [values.length]): NdArray {
  return ndarray('float64', shape, Float64Array.from(values));
}

const variable = (values: Numbers, shape?: readonly number[], name = 'a'): SharedVariable =>
  shared(float64(values, shape), name);

async function valueOf(state: SharedVariable): Promise<number[]> {
  return Array.from((await state.getValue()).data, Number);
}

/** The steps that a rule makes of the gradients of `sum(a^2)`, one after the other, at the values of `a`. */
async function stepsAt(rule: StepRule, values: readonly Numbers[]): Promise<number[]> {
  const a = variable(values[0] ?? []);
  const [gradient = a] = grad(sum(square(a)), [a]);
  const { steps, updates } = rule.computeSteps(new Map([[a, gradient]]));
  const f = await compile({
    inputs: [],
    outputs: [...steps.values()],
    updates: new Map(updates),
    engine: 'reference',
    threads: 1,
  });
  const made: number[] = [];
  for (const value of values) {
    a.setValue(float64(value));
    made.push(...Array.from((await f.run([]))[0]?.data ?? [], Number));
  }
  await f.dispose();
  return made;
}

const STAYING = [
  [3, 4],
  [3, 4],
  [3, 4],
];
const FALLING = [
  [3, 4],
  [2, 3],
  [1, 1.5],
];

describe('test_algorithms.py: steps', () => {
  test.each<readonly [string, StepRule, readonly Numbers[], Numbers, number]>([
    ['test_basic_momentum', new BasicMomentum({ momentum: 0.5 }), STAYING, [6, 8, 9, 12, 10.5, 14], 1e-7],
    [
      'test_momentum',
      new Momentum({ learningRate: 0.1, momentum: 0.5 }),
      STAYING,
      [0.6, 0.8, 0.9, 1.2, 1.05, 1.4],
      1e-7,
    ],
    [
      'test_adadelta',
      new AdaDelta({ decayRate: 0.5, epsilon: 1e-7 }),
      STAYING,
      [0.00044721, 0.00044721, 0.0005164, 0.0005164, 0.00056904, 0.00056904],
      1e-5,
    ],
    [
      'test_basicrmsprop',
      new BasicRMSProp({ decayRate: 0.5, maxScaling: 1e5 }),
      FALLING,
      [1.41421356, 1.41421356, 0.9701425, 1.02899151, 0.6172134, 0.64699664],
      1e-7,
    ],
    [
      'test_basicrmsprop_max_scaling',
      new BasicRMSProp({ decayRate: 0.5, maxScaling: 1e5 }),
      [[1e-6, 1e-6]],
      [0.2, 0.2],
      1e-7,
    ],
    [
      'test_rmsprop',
      new RMSProp({ learningRate: 0.1, decayRate: 0.5, maxScaling: 1e5 }),
      FALLING,
      [0.141421356, 0.141421356, 0.09701425, 0.102899151, 0.06172134, 0.064699664],
      1e-7,
    ],
    ['test_adam', new Adam(), FALLING, [0.002, 0.002, 0.0019407, 0.00196515, 0.00178724, 0.0018223], 1e-4],
    ['test_adagrad', new AdaGrad(), FALLING, [0.002, 0.002, 0.0011094, 0.0012, 0.00053452, 0.0005747], 1e-4],
  ])('%s', async (_, rule, values, expected, relative) => {
    expectClose(await stepsAt(rule, values), expected, relative);
  });

  /** The steps that a rule makes of others. */
  const stepsOf = async (
    rule: StepRule,
    previous: readonly (readonly [SharedVariable, Variable])[],
  ): Promise<number[]> => {
    const { steps } = rule.computeSteps(new Map(previous));
    return (await Promise.all([...steps.values()].map((step) => evaluate(step)))).flat();
  };
  const of = (...steps: number[]): (readonly [SharedVariable, Variable])[] =>
    steps.map((step, at) => [variable([0], [], `a${at}`), constant(float64([step], []))] as const);

  test('test_step_clipping, test_step_clipping_no_threshold_regression', async () => {
    expectClose(await stepsOf(new StepClipping({ threshold: 4 }), of(3, 4)), [12 / 5, 16 / 5]);
    expectClose(await stepsOf(new StepClipping({ threshold: 5 }), of(3, 4)), [3, 4]);
    expectClose(await stepsOf(new StepClipping(), of(3, 4)), [3, 4]);
  });

  test('test_variable_clipping', async () => {
    const clipped = async (
      threshold: number,
      axis: number | readonly number[] | undefined,
      shape: readonly number[],
      a: Numbers,
      step: Numbers,
    ) =>
      stepsOf(new VariableClipping({ threshold, ...(axis === undefined ? {} : { axis }) }), [
        [variable(a, shape), constant(float64(step, shape))],
      ]);
    expectClose(await clipped(5, undefined, [2], [1, 1], [3, 2]), [3, 2]);
    expectClose(
      await clipped(5, undefined, [1, 3], [-1, -1, -1], [3, 9, 2]),
      [0.78885438, 3.47213595, 0.34164079],
      1e-5,
    );
    expectClose(await clipped(5, undefined, [1, 4, 1], [1, -1, 1, -1], [1, 2, 3, 2]), [1, 2, 3, 2]);
    expectClose(
      await clipped(10, 1, [2, 4], [1, -1, 1, -1, -1, 1, -1, 1], [1, 2, 3, 4, 5, 6, 7, 8]),
      [1, 2, 3, 4, 3.54858826, 4.79049022, 5.06478435, 6.30668631],
      1e-5,
    );
    expectClose(
      await clipped(10, [1, 2], [2, 2, 2, 1], [1, -1, -1, 1, -1, 1, 2, -1], [1, 2, 3, 4, 5, 6, 7, 8]),
      [1, 2, 3, 4, 3.6429394, 4.86911616, 5.86911616, 5.96440909],
      1e-5,
    );
    await expect(clipped(10, [1, 2], [1], [1], [1])).rejects.toThrow('has 1 axes, none of which is 1');
    expect(() => new VariableClipping({ threshold: 50, axis: [0, 0] })).toThrow('axis is [0, 0]; give each axis once');
  });

  test('test_composite_rule', async () => {
    const rule = new CompositeRule([new StepClipping({ threshold: 4 }), new Scale({ learningRate: 0.1 })]);
    expectClose(await stepsOf(rule, of(3, 4)), [12 / 50, 16 / 50]);
  });

  test('test_remove_not_finite', async () => {
    // The original names the parameters 1, 2 and 3, and so they are.
    const steps = (): (readonly [SharedVariable, Variable])[] =>
      [Number.NaN, Infinity, 0.123].map((step, at) => [variable([at + 1], []), constant(float64([step], []))] as const);
    expectClose(await stepsOf(new RemoveNotFinite({ scaler: 0.1 }), steps()), [0.9, 1.8, 0.123]);
    expectClose(await stepsOf(new RemoveNotFinite(), steps()), [0, 0, 0.123]);
  });

  test('test_restrict', async () => {
    const squares = of(0, 1, 4, 9, 16, 25);
    const chosen = [1, 4].flatMap((at) => squares[at]?.[0] ?? []);
    expectClose(
      await stepsOf(new Restrict(new Scale({ learningRate: 0.1 }), chosen), squares),
      [0, 0.1, 4, 9, 1.6, 25],
    );
    class Dummy extends StepRule {
      override computeStep(parameter: SharedVariable, previous: Variable): StepAndUpdates {
        return { step: add(previous, 2), updates: [[parameter, mul(parameter, 100)]] };
      }
    }
    const restricted = new Restrict(new Dummy(), chosen);
    expectClose(await stepsOf(restricted, squares), [0, 3, 4, 9, 18, 25]);
    expect(restricted.computeSteps(new Map(squares)).updates.map(([updated]) => updated)).toEqual(chosen);
  });

  test.each([-1, 2])(
    'test_adadelta_decay_rate_sanity_check, test_basicrmsprop_decay_rate_sanity_check: %s',
    (decayRate) => {
      const message = `decayRate is ${decayRate}; give a number from 0 to 1`;
      expect(() => new AdaDelta({ decayRate })).toThrow(message);
      expect(() => new BasicRMSProp({ decayRate })).toThrow(message);
      expect(() => new RMSProp({ decayRate })).toThrow(message);
      expect(() => new BasicRMSProp({ decayRate: 0.5, maxScaling: -1 })).toThrow('maxScaling is -1');
    },
  );
});

describe('test_algorithms.py: algorithms', () => {
  /** What is updated after each of some batches of `m`. */
  const after = async (
    algorithm: UpdatesAlgorithm,
    watched: readonly SharedVariable[],
    given: readonly Numbers[],
    inputs: readonly Variable[] = [],
  ) => {
    const f = await compile({ inputs, outputs: [], updates: algorithm.updates, engine: 'reference', threads: 1 });
    const values: number[][] = [];
    for (const batch of given) {
      await f.run(batch.map((value) => float64([value], [])));
      values.push((await Promise.all(watched.map(valueOf))).flat());
    }
    await f.dispose();
    return values;
  };
  const n = (): SharedVariable => variable([1], [], 'n');
  const W = (): SharedVariable => variable([1, 2, 3, 4], [2, 2], 'W');

  test('test_updates_algorithm', async () => {
    const counter = n();
    expect(await after(new UpdatesAlgorithm({ updates: [[counter, add(counter, 1)]] }), [counter], [[], []])).toEqual([
      [2],
      [3],
    ]);
  });

  test('test_updates_algorithm_data', async () => {
    const [counter, m] = [n(), scalar('m', 'float64')];
    const algorithm = new UpdatesAlgorithm({ updates: [[counter, add(m, 1)]] });
    expect(await after(algorithm, [counter], [[5], [3]], [m])).toEqual([[6], [4]]);
  });

  test('test_updates_algorithm_add_updates', async () => {
    const [counter, m] = [n(), variable([0], [], 'm')];
    const algorithm = new UpdatesAlgorithm({ updates: [[counter, add(counter, 1)]] });
    algorithm.addUpdates([[m, mod(counter, 2)]]);
    expect(algorithm.updates.size).toBe(2);
    expect(await after(algorithm, [counter, m], [[], []])).toEqual([
      [2, 1],
      [3, 0],
    ]);
  });

  test('test_gradient_descent, test_gradient_descent_with_gradients', async () => {
    for (const withGradients of [false, true]) {
      const w = W();
      const cost = sum(square(w));
      const [gradient = w] = grad(cost, [w]);
      const stepRule = new Scale();
      const algorithm = new GradientDescent(
        withGradients ? { gradients: new Map([[w, gradient]]), stepRule } : { cost, parameters: [w], stepRule },
      );
      stepRule.learningRate.setValue(float64([0.75], []));
      expect(await after(algorithm, [w], [[]])).toEqual([[-0.5, -1, -1.5, -2]]);
    }
  });

  test('test_gradient_descent_parameters_inferred, _no_cost, _no_parameters, _updates_keyword', () => {
    const [w, z] = [W(), n()];
    const gradients = new Map([[w, mul(w, 2)]]);
    expect(new GradientDescent({ gradients }).parameters).toEqual([w]);
    expect(() => new GradientDescent({ parameters: [w] })).toThrow('give either a cost or gradients');
    expect(() => new GradientDescent({ cost: sum(w) })).toThrow('there are no parameters to train');
    // Here the original trains W, whatever it is given: the parameters that were named have no gradient.
    expect(() => new GradientDescent({ parameters: [z], gradients })).toThrow('there is no gradient for n; add it');
  });
});

describe('test_theano_expressions.py', () => {
  const flat = (...values: number[]): Variable => constant(float64(values));

  test('test_l2_norm', async () => {
    expectClose(await evaluate(l2Norm([flat(2)])), [2]);
    expectClose(await evaluate(l2Norm([flat(3), flat(4)])), [5]);
    expectClose(await evaluate(l2Norm([flat(3), flat(1, 2)])), [14 ** 0.5]);
    expectClose(await evaluate(l2Norm([flat(3), flat(1, 2), flat(1, 2, 3, 4)])), [44 ** 0.5]);
  });

  test('test_hessian_times_vector', async () => {
    const [xy, v] = [vector('x_y', 'float64'), vector('v', 'float64')];
    const [gradient = xy] = grad(mul(0.5, sum(square(xy))), [xy]);
    for (const rOp of [false, true]) {
      const product = hessianTimesVector(gradient, xy, v, { rOp });
      const given = [
        [xy, float64([0.1, 0.9])],
        [v, float64([0.3, 0.7])],
      ] as const;
      expectClose(await evaluate(product, given), [0.3, 0.7]);
    }
  });
});

describe('test_graph.py', () => {
  const x = scalar('x', 'float64');
  const at = (output: Variable | undefined, value: number) => evaluate(output ?? x, [[x, float64([value], [])]]);

  test('test_replace', async () => {
    const y = add(x, 1);
    expect(await at(new ComputationGraph(y).replace([[y, mul(2, y)]]).outputs[0], 2)).toEqual([6]);
  });

  test('test_replace_multiple_inputs', async () => {
    const graph = new ComputationGraph([mul(2, x), add(x, 1)]).replace([[x, mul(0.5, x)]]);
    expect([await at(graph.outputs[0], 1), await at(graph.outputs[1], 1)]).toEqual([[1], [1.5]]);
  });
});

describe('test_aggregation.py, test_evaluators.py', () => {
  const features = matrix('features', 'float64');
  const evaluated = async (
    make: () => readonly Variable[],
    rows: readonly Numbers[],
    batchSize = 2,
  ): Promise<unknown[]> => {
    const variables = make();
    for (const [at, output] of variables.entries()) output.name = `value${at}`;
    const dataset = new IndexableDataset({ features: float64(rows.flat(), [rows.length, rows[0]?.length ?? 0]) });
    const stream = new DatasetStream(dataset, new SequentialScheme(rows.length, batchSize));
    const values = await new DatasetEvaluator(variables).evaluate(stream, { engine: 'reference', threads: 1 });
    return [...values.values()];
  };
  /** What the log has of an array are nested lists. */
  const numbers = (value: unknown): unknown[] => [value].flat(Infinity);
  const five = [
    [0, 3],
    [2, 9],
    [2, 4],
    [5, 1],
    [6, 7],
  ];
  const count = (): Variable => dimension(features, 0);
  const roots = (): Variable => sum(pow(features, 0.5), { axis: 0 });

  test('test_mean_aggregator, test_perplexity_aggregator', async () => {
    const means = await evaluated(() => [batchMean(roots(), count()), batchMean(sum(roots()), count())], five);
    expectClose(means.flatMap(numbers).map(Number), [1.5027969690058316, 2.0755604237266936, 3.578357392732525]);
    // The original's is exp(-mean) of a log-likelihood, ours exp(mean) of a negative one.
    const made = await evaluated(
      () => [perplexity(mul(roots(), -1), count()), perplexity(mul(sum(roots()), -1), count())],
      five,
    );
    expectClose(made.flatMap(numbers).map(Number), [0.2225069439706818, 0.12548608240556036, 0.027921524706914377]);
  });

  test('test_min_max_aggregators', async () => {
    const extremes = (): Variable[] => {
      const y = sum(square(features), { axis: 0 });
      return [batchMaximum(identity(y)), batchMinimum(min(y))];
    };
    expect(
      (
        await evaluated(extremes, [
          [2, 3],
          [2, 9],
          [2, 4],
          [5, 1],
        ])
      ).map(numbers),
    ).toEqual([[29, 90], [8]]);
    expect(
      (
        await evaluated(extremes, [
          [2, 1],
          [1, 3],
          [1, -1],
          [2.5, 1],
        ])
      ).map(numbers),
    ).toEqual([[7.25, 10], [2]]);
  });

  test('test_concatenate_aggregator', async () => {
    const make = (): Variable[] => [batchConcatenate(sum(features, { axis: 0 })), batchConcatenate(sum(features))];
    expect(
      (
        await evaluated(make, [
          [2, 3],
          [2, 9],
          [2, 4],
          [5, 1],
        ])
      ).map(numbers),
    ).toEqual([
      [4, 12, 7, 5],
      [16, 12],
    ]);
  });

  test('test_parameter_monitor, test_dataset_evaluators', async () => {
    const rowMeans = (): Variable => batchMean(sum(mean(features, { axis: 1 })), count());
    const upTo = (from: number, rows: number): number[][] =>
      Array.from({ length: rows }, (_, row) => [from + 2 * row, from + 2 * row + 1]);
    expect(await evaluated(() => [rowMeans()], upTo(0, 5))).toEqual([4.5]);
    // The mean of the batches' means is 7.5 in the original; ours weighs examples, as is said in the README.
    const rows = [...upTo(1, 2), ...upTo(10, 3)];
    expect(await evaluated(() => [rowMeans(), mean(features)], rows)).toEqual([8.5, 8.5]);
  });
});

describe('test_training.py, test_stopping.py', () => {
  test('test_shared_variable_modifier, test_shared_variable_modifier_two_parameters', async () => {
    for (const [modify, expected] of [
      [(done: number) => 10 / done, 10 / 3],
      [(_: number, old: NdArray) => Number(old.data[0]) * 0.2, 0.001 * 0.2 ** 3],
    ] as const) {
      const stepRule = new Scale({ learningRate: 0.001 });
      const w = variable([0, 0, 0], [3], 'W');
      const algorithm = new GradientDescent({
        cost: abs(sum(mul(w, mean(matrix('features', 'float32'), { axis: 0 })))),
        parameters: [w],
        stepRule,
        onUnusedSources: 'ignore',
      });
      const mainLoop = new MainLoop({
        algorithm,
        dataStream: sequential(tinyDataset(3), 1),
        engine: 'reference',
        threads: 1,
        extensions: [new FinishAfter({ afterNEpochs: 1 }), new SharedVariableModifier(stepRule.learningRate, modify)],
      });
      await mainLoop.run();
      expectClose(await valueOf(stepRule.learningRate), [expected]);
    }
  });

  /** What the log has after each epoch of which a record is told. */
  const logged = async (values: Numbers, extension: TrainingExtension): Promise<Readonly<LogRow>[]> => {
    class Told extends TrainingExtension {
      override afterEpoch(): void {
        this.mainLoop.log.currentRow['cost'] = values[this.mainLoop.status.epochsDone - 1] ?? 0;
      }
    }
    const mainLoop = tinyExperiment({ examples: 4, epochs: values.length, extensions: [new Told(), extension] });
    await mainLoop.run();
    return mainLoop.log.status.epochEnds.map((time) => mainLoop.log.rows.get(time) ?? {});
  };

  test('test_track_the_best', async () => {
    const extension = new TrackTheBest({ recordName: 'cost' });
    const rows = await logged([5, 6, 5, 4], extension);
    expect(rows.map((row) => row['cost_best_so_far'] === true)).toEqual([true, false, false, true]);
  });

  test('EarlyStoppingTester.test_epochs', async () => {
    const rows = await logged([8, 7, 8, 7, 6, 7, 7, 7, 9, 9], new EarlyStopping({ recordName: 'cost', epochs: 3 }));
    expect(rows.map((row) => row['cost_best_so_far_patience_epochs'])).toEqual([3, 3, 2, 1, 3, 2, 1, 0]);
    expect(rows.map((row) => row['cost_best_so_far'] === true)).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(rows.at(-1)).toHaveProperty('training_finish_requested', true);
  });
});
