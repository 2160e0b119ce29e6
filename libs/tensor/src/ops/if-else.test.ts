import type { NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  applyOp,
  defineOp,
  DisconnectedInput,
  dot,
  exp,
  grad,
  graphInputs,
  gt,
  ifElse,
  lvector,
  mul,
  NotDifferentiable,
  notDifferentiable,
  pick,
  scalar,
  scan,
  square,
  sum,
  tanh,
  tensor,
  toposort,
  type Variable,
} from '../index.js';
import { ENGINES, runWidest } from '../../test/engines.js';
import { array, expectClose, expectGradientsRight, present, spread } from '../../test/op-laws.js';

function variables(float: 'float32' | 'float64'): [Variable, Variable] {
  return [tensor('x', float, [null, 3]), tensor('W', float, [3, 3])];
}

const isTaken = scalar('isTaken', 'bool');

/** Two outputs of each branch; W matters in one of them only, and the second output of the other is its first. */
function choose(condition: Variable, input: Variable, weights: Variable): Variable[] {
  const hidden = exp(input);
  return ifElse(
    condition,
    () => [tanh(dot(hidden, weights)), mul(hidden, 2)],
    () => {
      const squares = square(hidden);
      return [squares, squares];
    },
  );
}

function costOf(outputs: readonly Variable[]): Variable {
  return add(sum(mul(present(outputs[0]), 3)), sum(square(present(outputs[1]))));
}

describe.each(ENGINES)('1.T-05 on $name', (engine) => {
  const float = engine.widest ?? 'float64';
  const [x, W] = variables(float);
  const runOn = (
    inputs: readonly Variable[],
    outputs: readonly Variable[],
    values: readonly NdArray[],
  ): Promise<NdArray[]> => runWidest(engine, inputs, outputs, values);

  test('the branch that the condition says is what is computed, with first and second derivatives', async () => {
    const derivatives = (outputs: Variable[]): Variable[] => {
      const wrt = [x, W];
      const first = grad(costOf(outputs), wrt, { disconnectedInputs: 'zero' });
      const second = grad(add(sum(square(present(first[0]))), sum(square(present(first[1])))), wrt, {
        disconnectedInputs: 'zero',
      });
      return [...outputs, ...first, ...second];
    };
    const hidden = exp(x);
    const expected = [
      derivatives([square(hidden), square(hidden)]),
      derivatives([tanh(dot(hidden, W)), mul(hidden, 2)]),
    ];
    const chosen = derivatives(choose(isTaken, x, W));
    for (const taken of [0, 1]) {
      const values = [spread([2, 3], -1, 1), spread([3, 3], -1, 1, 1)];
      const actual = await runOn([isTaken, x, W], chosen, [array('bool', [], [taken]), ...values]);
      const wanted = await runOn([x, W], present(expected[taken]), values);
      for (const [at, result] of actual.entries())
        expectClose(result, present(wanted[at]), float === 'float32' ? 1e-5 : 1e-10);
    }
  });

  test('the other branch is not computed', async () => {
    const labels = lvector('labels');
    const [picked] = ifElse(
      isTaken,
      () => pick(x, labels),
      () => sum(x, { axis: 1 }),
    );
    const values = [spread([2, 3], -1, 1), array('int64', [2], [0, 7])];
    const run = (taken: number): Promise<unknown> =>
      runOn([isTaken, x, labels], [present(picked)], [array('bool', [], [taken]), ...values]);
    await expect(run(0)).resolves.toHaveLength(1);
    await expect(run(1)).rejects.toThrow(/pick|label 7/);
  });

  test('a step of a scan may choose', async () => {
    const first = tensor('first', float, []);
    const rows = tensor('rows', float, [null]);
    const [states] = scan(
      (row, state) =>
        ifElse(
          gt(row, 0),
          () => mul(state, row),
          () => add(state, row),
        ),
      { sequences: [rows], outputsInfo: [first] },
    );
    const outputs = [present(states), ...grad(sum(square(present(states))), [first, rows])];
    const given = [array('float64', [], [3]), array('float64', [3], [-1, 2, -0.5])];
    const [values, ofFirst, ofRows] = await runOn([first, rows], outputs, given);
    // 3 - 1, then times 2, then minus 0.5.
    expect([...present(values).data]).toEqual([2, 4, 3.5]);
    expect([...present(ofFirst).data]).toEqual([2 * 2 + 2 * 4 * 2 + 2 * 3.5 * 2]);
    expect([...present(ofRows).data]).toEqual([4 + 16 + 14, (2 * 4 + 2 * 3.5) * 2, 7]);
  });
});

describe('whatever it runs on', () => {
  const [x, W] = variables('float64');

  test.each([0, 1e6])(
    'gradients are those of finite differences, of the branch taken where the sum is above %d',
    async (limit) => {
      await expectGradientsRight(
        (input, weights) => costOf(choose(gt(sum(square(present(input))), limit), present(input), present(weights))),
        [spread([2, 3], -1, 1), spread([3, 3], -1, 1, 1)],
      );
    },
  );

  test('what was there before the branches is outside of them, what they make is inside', () => {
    const [output] = choose(isTaken, x, W);
    expect(toposort([present(output)]).map(({ op }) => op.name)).toEqual(['exp', 'ifElse']);
    expect(toposort([present(output)], { inside: true }).map(({ op }) => op.name)).toEqual(
      expect.arrayContaining(['dot', 'tanh', 'square']),
    );
    expect(graphInputs([present(output)])).toEqual([x, isTaken, W]);
  });

  test('sizes are known where both branches agree', () => {
    const [a, b] = [tensor('a', 'float32', [2, 3]), tensor('b', 'float32', [5, 3])];
    const [output] = ifElse(
      isTaken,
      () => a,
      () => b,
    );
    expect(output?.type).toEqual({ dtype: 'float32', shape: [null, 3] });
  });

  test('what does not fit is said when the graph is built', () => {
    const branch = (): Variable => x;
    expect(() => ifElse(sum(x), branch, branch)).toThrow(
      'ifElse: the condition `sum.0` float64 () is not a bool scalar',
    );
    expect(() => ifElse(isTaken, branch, () => [x, x])).toThrow(
      'ifElse: the branches give `x` float64 (null, 3) and `x` float64 (null, 3), `x` float64 (null, 3); both must give as many',
    );
    expect(() => ifElse(isTaken, branch, () => sum(x))).toThrow('both must give as many, of the same dtypes and axes');
  });

  test('gradients are disconnected where both branches are, and missing where one is', () => {
    const opaque = defineOp({
      name: 'opaque',
      inferTypes: (inputs) => inputs.map(({ type }) => type),
      grad: () => [notDifferentiable('it is opaque')],
      run: (inputs) => inputs,
    });
    const [y, z] = [tensor('y', 'float64', [null, 3]), tensor('z', 'float64', [null, 3])];
    const [first, second] = ifElse(
      isTaken,
      () => [mul(x, 2), add(y, applyOp(opaque(), [z]))],
      () => [mul(x, 3), mul(y, z)],
    );
    const [ofFirst, ofSecond] = [first, second].map((output) => sum(present(output)));
    expect(() => grad(present(ofFirst), [y])).toThrow(DisconnectedInput);
    expect(() => grad(present(ofSecond), [z])).toThrow(NotDifferentiable);
    expect(grad(present(ofSecond), [y])).toHaveLength(1);
  });
});
