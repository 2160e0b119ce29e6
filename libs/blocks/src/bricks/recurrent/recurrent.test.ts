import { RandomStreams } from '@longrun/serialization';
import { add, constant, grad, mul, ones, scalar, shared, sum, tensor, type Variable } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { evaluate } from '../../../test/evaluate.js';
import { float32, int64 } from '../../../test/tiny-experiment.js';
import { collectWarnings } from '../../../test/warnings.js';
import { blocksName } from '../../graph/annotations.js';
import { ComputationGraph } from '../../graph/computation-graph.js';
import { getApplicationCall, getBrick } from '../../graph/provenance.js';
import { Constant } from '../../initialization/constant.js';
import { IsotropicGaussian } from '../../initialization/isotropic-gaussian.js';
import { Orthogonal } from '../../initialization/orthogonal.js';
import { INITIAL_STATE, INPUT, OUTPUT } from '../../roles.js';
import { select } from '../../selection/selection.js';
import { VariableFilter } from '../../selection/variable-filter.js';
import { Identity } from '../activations.js';
import { applicationOf } from '../application.js';
import type { Dimension } from '../brick.js';
import { BaseRecurrent } from './base-recurrent.js';
import type { RecurrentCallOptions } from './call-options.js';
import { GatedRecurrent } from './gated-recurrent.js';
import { LSTM } from './lstm.js';
import { recurrent } from './recurrent.js';
import { SimpleRecurrent } from './simple-recurrent.js';

type Given = {
  readonly steps?: Variable | undefined;
  readonly total?: Variable | undefined;
  readonly factor?: Variable | undefined;
};

/** Adds up `steps`, each times `factor`; says twice the total besides. */
class Adding extends BaseRecurrent {
  stranger: Variable | undefined;

  apply(given: Given, options?: RecurrentCallOptions): { readonly double: Variable; readonly total: Variable };
  @recurrent({ sequences: ['steps'], states: ['total'], contexts: ['factor'], outputs: ['double', 'total'] })
  apply({ steps, total, factor }: Given & { readonly total: Variable }): {
    readonly total: Variable;
    readonly double: Variable;
  } {
    const scaled = steps === undefined ? ones([1]) : factor === undefined ? steps : mul(steps, factor);
    const next = add(total, scaled);
    return { total: next, double: mul(next, this.stranger ?? 2) };
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    return name === 'steps' || name === 'total' ? 1 : super.dimensionOf(name);
  }
}

const warned = collectWarnings();
const steps = tensor('steps', 'float32', ['time', 'batch', 1]);
const given = [steps, float32([3, 2, 1], [1, 10, 2, 20, 3, 30])] as const;

describe('a recurrent application (1.9-48)', () => {
  test('makes all steps, from initial states of its own (1.7-34, 1.7-35, 1.7-37, 1.9-47)', async () => {
    const { double, total } = new Adding().apply({ steps });

    expect(await evaluate(total, [given])).toEqual([1, 10, 3, 30, 6, 60]);
    expect(await evaluate(double, [given])).toEqual([2, 20, 6, 60, 12, 120]);
    expect([total.name, double.name]).toEqual(['adding_apply_total', 'adding_apply_double']);
    expect(total.shape.slice(1)).toEqual(['batch', 1]);
  });

  test('or from those that it is given, with contexts that are the same in all steps (1.7-36)', async () => {
    const total = constant(float32([2, 1], [100, 200]));
    const factor = scalar('factor');
    const result = new Adding().apply({ steps, total, factor }).total;

    expect(await evaluate(result, [given, [factor, float32([], [3])]])).toEqual([103, 230, 109, 290, 118, 380]);
    expect(await warned()).toEqual([]);
  });

  test('makes one step alone with iterate: false (1.7-38)', async () => {
    const [row, total] = [tensor('row', 'float32', ['batch', 1]), constant(float32([2, 1], [5, 6]))];
    const result = new Adding().apply({ steps: row, total }, { iterate: false });

    expect(await evaluate(result.total, [[row, float32([2, 1], [1, 2])]])).toEqual([6, 8]);
    expect(new ComputationGraph(result.total).scans).toEqual([]);
  });

  test('goes from the end with reverse, with its outputs in the order of the sequences (1.7-39)', async () => {
    const { total } = new Adding().apply({ steps }, { reverse: true });

    expect(await evaluate(total, [given])).toEqual([6, 60, 5, 50, 3, 30]);
  });

  test('returns initial states where they are: first, or last with reverse (1.7-40)', async () => {
    const first = new Adding().apply({ steps }, { returnInitialStates: true });
    const last = new Adding().apply({ steps }, { returnInitialStates: true, reverse: true });

    expect(await evaluate(first.total, [given])).toEqual([0, 0, 1, 10, 3, 30, 6, 60]);
    expect(await evaluate(first.double, [given])).toEqual([2, 20, 6, 60, 12, 120]);
    expect(await evaluate(last.total, [given])).toEqual([6, 60, 5, 50, 3, 30, 0, 0]);
  });

  test('makes as many steps as it is told, of as many sequences, where it is given none (1.7-41, 1.7-42)', async () => {
    const { total } = new Adding().apply({}, { nSteps: 2, batchSize: 3 });
    const nSteps = tensor('nSteps', 'int64', []);
    const counted = new Adding().apply({}, { nSteps, batchSize: 1 });

    expect(await evaluate(total)).toEqual([1, 1, 1, 2, 2, 2]);
    expect(await evaluate(counted.total, [[nSteps, { ...int64([4]), shape: [] }]])).toEqual([1, 2, 3, 4]);
    expect(await evaluate(new Adding().apply({ steps }, { nSteps: 1 }).total, [given])).toEqual([1, 10]);
  });

  test('takes gradients from the last steps only where it is told', async () => {
    const gradient = async (options: RecurrentCallOptions): Promise<number[]> =>
      evaluate(grad(sum(new Adding().apply({ steps }, options).total), [steps])[0] ?? steps, [given]);

    expect(await gradient({})).toEqual([3, 3, 2, 2, 1, 1]);
    expect(await gradient({ truncateGradient: 1 })).toEqual([0, 0, 0, 0, 1, 1]);
  });
});

describe('what a step takes and gives', () => {
  test('has roles, names, brick and call, and is found within the scan', () => {
    const brick = new Adding();
    const factor = scalar('factor');
    const { total } = brick.apply({ steps, factor });
    const within = select(total).inside().role(INPUT, OUTPUT).brick(brick);
    const { scans } = new ComputationGraph(total);
    const call = getApplicationCall(total);

    expect(scans.map(({ op }) => op.name)).toEqual(['scan']);
    const inner = [call?.metadata.get('innerInputs'), call?.metadata.get('innerOutputs')].flat() as Variable[];
    expect(inner.map((variable) => variable.name)).toEqual([
      'adding_apply_steps',
      'adding_apply_total',
      'adding_apply_double',
      'adding_apply_total',
    ]);
    expect(inner.every((variable) => new ComputationGraph(total).scanVariables.includes(variable))).toBe(true);
    expect(inner.every((variable) => within.has(variable) && getBrick(variable) === brick)).toBe(true);
    expect(new Set(inner.map(getApplicationCall)).size).toBe(1);
    expect(getApplicationCall(inner[0] ?? total)).not.toBe(call);
    expect(select(total).inside().application(applicationOf(Adding, 'apply')).name('total').count).toBe(3);
    const filter = new VariableFilter({ roles: [OUTPUT], applications: [brick.application('apply')], name: 'total' });
    expect(filter.select(new ComputationGraph(total), { inside: true }).map(blocksName)).toEqual(['total', 'total']);
    expect(filter.select(new ComputationGraph(total))).toEqual([total]);
  });

  test('that comes from elsewhere is warned of, but for parameters and constants', async () => {
    const brick = new Adding();
    brick.stranger = shared(float32([], [2]), 'known');
    brick.apply({ steps });
    expect(await warned()).toEqual([]);
    brick.stranger = scalar('stranger');
    brick.apply({ steps });

    expect(await warned()).toEqual([
      '/adding.apply uses stranger, which it was not given; declare it in @recurrent({ contexts }) and give it by name',
    ]);
  });

  test('is named in full by the decorator', () => {
    expect(new Adding().application('apply').inputs).toEqual(['steps', 'total', 'factor']);
    const forgetful = new (class extends BaseRecurrent {
      @recurrent({ sequences: ['steps'], states: ['total'], outputs: ['double'] })
      apply(row: Record<string, Variable>): Record<string, Variable> {
        return row;
      }
    })({ name: 'forgetful' });
    expect(() => forgetful.apply({ steps })).toThrow(
      '/forgetful.apply has the states total and the outputs double; name all of its states among @recurrent({ outputs })',
    );
  });
});

describe('is refused, with what to do:', () => {
  const call =
    (argument: unknown, options: RecurrentCallOptions = {}) =>
    () =>
      new Adding().application('apply').call([argument, options]);

  test.each([
    ['an input that it has not', { step: steps }, {}, '/adding.apply has no input step; it has steps, total, factor'],
    ['what is no variable', { steps, factor: 3 }, {}, '/adding.apply: factor is no variable; give one'],
    [
      'a variable without a name',
      steps,
      {},
      '/adding.apply takes variables by name; call it with { steps, total, factor }',
    ],
    [
      'a sequence without time',
      { steps: tensor('row', 'float32', [2, 1]) },
      {},
      'steps has 2 axes; give it those of (time, batch, 1)',
    ],
    ['neither sequences nor steps', {}, {}, 'is given none of its sequences (steps); give nSteps and batchSize'],
    [
      'steps of nobody knows how many',
      {},
      { nSteps: 2 },
      'no sequence tells how many initial states total to make; give batchSize',
    ],
  ])('%s', (_, argument, options, message) => {
    expect(call(argument, options)).toThrow(message);
  });

  test('a mask of the wrong shape', () => {
    const mask = tensor('mask', 'float32', ['time', 'batch', 1]);
    const brick = new SimpleRecurrent({ dim: 1, activation: new Identity() });

    expect(() => brick.apply({ inputs: steps, mask })).toThrow(
      '/simplerecurrent.apply: mask has 3 axes; give it those of (time, batch)',
    );
    expect(() => brick.apply({ inputs: tensor('x', 'float32', ['time', 'batch', 2]) })).toThrow(
      '/simplerecurrent.apply: inputs has shape (time, batch, 2) but should end in (1,)',
    );
  });
});

describe('the recurrent bricks', () => {
  test('start from initial states that are learned, and zeros at first (1.9-46)', async () => {
    const weightsInit = new IsotropicGaussian();
    const bricks = [
      new SimpleRecurrent({ dim: 1, activation: new Identity(), weightsInit }),
      new LSTM({ dim: 1, weightsInit }),
      new GatedRecurrent({ dim: 1, weightsInit }),
    ];
    for (const brick of bricks) {
      brick.initialize(new RandomStreams(1));
      const states = brick.application('initialStates').call([2]);
      expect(new ComputationGraph(states).parameters.length).toBe(select(states).role(INITIAL_STATE).count);
      for (const state of states) expect(await evaluate(state)).toEqual([0, 0]);
      const [first] = brick.parameters;
      expect(Number((await first?.getValue())?.data[0])).not.toBe(0);
    }
  });

  test('GatedRecurrent initializes the two blocks of its gates by themselves (1.9-44, 1.9-45)', async () => {
    const brick = new GatedRecurrent({ dim: 2, weightsInit: new Orthogonal() });
    brick.initialize(new RandomStreams(1));
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = (await brick.stateToGates.getValue()).data;

    expect(brick.stateToState.shape).toEqual([2, 2]);
    for (const [left, right] of [
      [
        [a, e],
        [b, f],
      ],
      [
        [c, g],
        [d, h],
      ],
    ] as const) {
      expect(Number(left[0]) ** 2 + Number(left[1]) ** 2).toBeCloseTo(1, 5);
      expect(Number(left[0]) * Number(right[0]) + Number(left[1]) * Number(right[1])).toBeCloseTo(0, 5);
    }
    expect([a, b]).not.toEqual([c, d]);
  });

  test('are copied with their activations', () => {
    const copy = new LSTM({ dim: 3, weightsInit: new Constant(1) }).copy('twin');
    copy.allocate();

    expect(copy.parameters.map((parameter) => copy.hierarchicalName(parameter))).toEqual([
      '/twin.W_state',
      '/twin.W_cell_to_in',
      '/twin.W_cell_to_forget',
      '/twin.W_cell_to_out',
      '/twin.initial_state',
      '/twin.initial_cells',
    ]);
    expect(copy.children.map((child) => child.uniquePath)).toEqual(['/twin/tanh', '/twin/logistic']);
  });
});
