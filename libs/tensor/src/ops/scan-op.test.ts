import type { NdArray } from '@longrun/serialization';
import { describe, expect, test } from 'vitest';

import {
  add,
  compile,
  dimension,
  dot,
  DisconnectedInput,
  grad,
  iscalar,
  mul,
  NotDifferentiable,
  applyOp,
  defineOp,
  notDifferentiable,
  printGraph,
  scan,
  square,
  sum,
  tanh,
  tensor,
  type Variable,
} from '../index.js';
import { ENGINES, runWidest } from '../../test/engines.js';
import { array, expectClose, present, spread } from '../../test/op-laws.js';
import { unrolled } from '../../test/unrolled.js';

function variables(float: 'float32' | 'float64'): [Variable, Variable, Variable] {
  return [tensor('x', float, [null, null, 3]), tensor('h0', float, [null, 3]), tensor('U', float, [3, 3])];
}

function layer(
  through: typeof scan,
  options: { readonly truncateGradient?: number; readonly goBackwards?: boolean } = {},
) {
  return (rows: Variable, first: Variable, weights: Variable): Variable[] =>
    through((row, h) => [tanh(add(row, dot(present(h), weights))), sum(row, { axis: 1 })], {
      sequences: [rows],
      outputsInfo: [first, null],
      ...options,
    });
}

describe.each(ENGINES)('on $name', (engine) => {
  const float = engine.widest ?? 'float64';
  const tolerance = float === 'float32' ? 1e-5 : 1e-10;
  const [x, h0, U] = variables(float);
  const run = (
    inputs: readonly Variable[],
    outputs: readonly Variable[],
    values: readonly NdArray[],
  ): Promise<NdArray[]> => runWidest(engine, inputs, outputs, values);

  test('no rows are no steps: empty outputs of the sizes that rows would have, and gradients of zero', async () => {
    const outputs = layer(scan)(x, h0, U);
    const [states, sums] = [present(outputs[0]), present(outputs[1])];
    const cost = add(sum(square(states)), add(sum(sums), sum(h0)));
    const values = [array('float64', [0, 2, 3], []), spread([2, 3], -1, 1), spread([3, 3], -1, 1)];
    const results = await run([x, h0, U], [...outputs, ...grad(cost, [x, h0, U])], values);
    expect(results.map(({ shape }) => shape)).toEqual([
      [0, 2, 3],
      [0, 2],
      [0, 2, 3],
      [2, 3],
      [3, 3],
    ]);
    expect([...present(results[3]).data]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(present(results[4]).data.every((value) => value === 0)).toBe(true);
  });

  test('the number of steps may be known only when the graph runs, with and without sequences', async () => {
    const steps = iscalar('steps');
    const [powers] = scan((h) => mul(h, 2), { outputsInfo: [h0], nSteps: steps });
    const [last] = scan((row, h) => add(row, h), {
      sequences: [x],
      outputsInfo: [h0],
      nSteps: steps,
      goBackwards: true,
    });
    const outputs = [present(powers), present(last)];
    const gradients = grad(add(sum(present(powers)), sum(present(last))), [h0, x]);
    for (const count of [0, 1, 3]) {
      const values = [array('int32', [], [count]), array('float64', [1, 3], [1, 2, 3]), spread([3, 1, 3], -1, 1)];
      const [first, second, ofState, ofRows] = await run([steps, h0, x], [...outputs, ...gradients], values);
      expect([...present(first).data]).toEqual([2, 4, 6, 4, 8, 12, 8, 16, 24].slice(0, 3 * count));
      expect(present(second).shape).toEqual([count, 1, 3]);
      expect(present(ofState).data[0]).toBe(present([0, 2, 14][[0, 1, 3].indexOf(count)]) + count);
      expect([0, 3, 6].map((at) => present(ofRows).data[at])).toEqual(
        [0, 1, 2].map((row) => Math.max(0, count - 2 + row)),
      );
    }
  });

  test.each([false, true])(
    'gradients come from the last steps only where they are truncated; backwards: %s',
    async (goBackwards) => {
      const values = [spread([5, 2, 3], -1, 1), spread([2, 3], -1, 1, 1), spread([3, 3], -1, 1, 2)];
      const exact = [tensor('x', float, [5, 2, 3]), tensor('h0', float, [2, 3]), U] as const;
      const costOf = (outputs: readonly Variable[]): Variable =>
        add(sum(square(present(outputs[0]))), sum(square(present(outputs[1]))));
      for (const truncateGradient of [2, 5, 7]) {
        // The last steps by themselves, from a state that is given: what is before them is constant.
        const count = Math.min(5, truncateGradient);
        const all = layer(unrolled, { goBackwards })(...exact);
        const [states] = await run(exact, [present(all[0])], values);
        const used = Array.from({ length: 5 }, (_, row) => (goBackwards ? row < count : row >= 5 - count));
        const rows = array(
          'float64',
          [count, 2, 3],
          [...present(values[0]).data].map(Number).filter((_, at) => present(used[Math.floor(at / 6)])),
        );
        const before =
          count === 5
            ? present(values[1])
            : array('float64', [2, 3], [...present(states).data].map(Number).slice((4 - count) * 6, (5 - count) * 6));
        const part = tensor('part', float, [count, 2, 3]);
        const ends = [part, exact[1], U] as const;
        const expected = await run(ends, grad(costOf(layer(unrolled, { goBackwards })(...ends)), [...ends]), [
          rows,
          before,
          present(values[2]),
        ]);
        for (const inputs of [exact, [x, h0, U] as const]) {
          const gradients = grad(costOf(layer(scan, { goBackwards, truncateGradient })(...inputs)), [...inputs]);
          const [ofRows, ofState, ofWeights] = await run(inputs, gradients, values);
          expectClose(present(ofWeights), present(expected[2]), tolerance);
          const wanted = [...present(expected[0]).data];
          expectClose(
            present(ofRows),
            array(
              float,
              [5, 2, 3],
              used.flatMap((isUsed) => Array.from({ length: 6 }, () => (isUsed ? Number(wanted.shift()) : 0))),
            ),
            tolerance,
          );
          expectClose(
            present(ofState),
            count === 5 ? present(expected[1]) : array(float, [2, 3], [0, 0, 0, 0, 0, 0]),
            tolerance,
          );
        }
      }
    },
  );

  test('what is before truncated gradients is constant to the gradients of those too, older values of a state included', async () => {
    const [first, weight] = [tensor('first', float, [2]), tensor('weight', float, [])];
    const [states] = scan((older) => tanh(mul(older, weight)), {
      outputsInfo: [{ initial: first, taps: [-2] }],
      nSteps: 2,
      truncateGradient: 1,
    });
    const [ofWeight] = grad(sum(present(states)), [weight]);
    const [second] = grad(present(ofWeight), [first], { disconnectedInputs: 'zero' });
    const values = [array('float64', [2], [0.5, 0.25]), array('float64', [], [1])];
    const [weightGradient, ofFirst] = await run([first, weight], [present(ofWeight), present(second)], values);
    expectClose(present(weightGradient), array(float, [], [0.25 * (1 - Math.tanh(0.25) ** 2)]), tolerance);
    expect([...present(ofFirst).data]).toEqual([0, 0]);
  });
});

describe('whatever it runs on', () => {
  const [x, h0, U] = variables('float64');

  test('sequences of different lengths are an error, when the graph is built or before it runs', async () => {
    const [a, b] = [tensor('a', 'float64', [3]), tensor('b', 'float64', [4])];
    expect(() => scan((one, other) => add(one, present(other)), { sequences: [a, b] })).toThrow(
      'scan: the sequence `b` float64 (4,) has 4 rows but there are 3 steps; give sequences of one length',
    );
    const [c, d] = [tensor('c', 'float64', [null]), tensor('d', 'float64', [null])];
    const outputs = scan((one, other) => add(one, present(other)), { sequences: [c, d] });
    for (const engine of ['reference', 'onnxruntime'] as const) {
      const f = await compile({ inputs: [c, d], outputs, engine });
      await expect(f.run([spread([3], 0, 1), spread([4], 0, 1)])).rejects.toThrow(
        'function: `c` has 3 along axis 0 but `d` has 4 along axis 0; the graph needs these sizes to be equal',
      );
      await f.dispose();
    }
  });

  test('sizes of a batch that must agree are found inside of the step', async () => {
    const outputs = layer(scan)(x, h0, U);
    const f = await compile({ inputs: [x, h0, U], outputs, engine: 'reference' });
    const run = f.run([spread([2, 4, 3], 0, 1), spread([5, 3], 0, 1), spread([3, 3], 0, 1)]);
    await expect(run).rejects.toThrow('`x` has 4 along axis 1 but `h0` has 5 along axis 0');
  });

  test('fewer rows than steps are an error', async () => {
    const a = tensor('a', 'float64', [3]);
    expect(() => scan((row) => row, { sequences: [a], nSteps: 4 })).toThrow(
      'scan: the sequence `a` float64 (3,) has 3 rows for 4 steps; make fewer steps',
    );
    const b = tensor('b', 'float64', [null]);
    const outputs = scan((row) => tanh(row), { sequences: [b], nSteps: 4 });
    for (const engine of ENGINES) {
      await expect(engine.run([b], outputs, [spread([3], 0, 1)])).rejects.toThrow(/reshape/i);
    }
  });

  test('what does not fit is said when the graph is built', () => {
    const scalar = tensor('s', 'float64', []);
    expect(() => scan((row) => row, { sequences: [scalar] })).toThrow('scan: the sequence `s` float64 () is a scalar');
    expect(() => scan((h) => h, { outputsInfo: [h0] })).toThrow(
      'scan: without sequences, say by nSteps how many steps',
    );
    expect(() => scan((h) => h, { outputsInfo: [h0], nSteps: -1 })).toThrow(
      'scan: nSteps is -1; give an integer of 0 or more',
    );
    expect(() => scan((h) => h, { outputsInfo: [h0], nSteps: scalar })).toThrow(
      'scan: nSteps is `s` float64 (); give an integer scalar',
    );
    expect(() => scan((h) => [h, h], { outputsInfo: [h0], nSteps: 1 })).toThrow(
      'scan: the step gave 2 outputs but outputsInfo has 1 entries',
    );
    expect(() => scan((h) => tanh(dot(h, tensor('V', 'float64', [3, 4]))), { outputsInfo: [h0], nSteps: 1 })).toThrow(
      'scan: the state `h0` float64 (null, 3) is `tanh.0` float64 (null, 4) after a step',
    );
    expect(() => scan((h) => sum(h), { outputsInfo: [h0], nSteps: 1 })).toThrow('is `sum.0` float64 () after a step');
    expect(() => scan((h) => h, { outputsInfo: [{ initial: h0, taps: [0] }], nSteps: 1 })).toThrow(
      'scan: the state `h0` float64 (null, 3) has the taps [0]; give negative integers',
    );
    expect(() => scan((row) => row, { sequences: [{ input: x, taps: [0.5] }] })).toThrow(
      'has the taps [0.5]; give integers',
    );
    expect(() => scan((h) => h, { outputsInfo: [{ initial: U, taps: [-2] }], nSteps: 1 })).toThrow(
      'scan: the state `U` float64 (3, 3) needs 2 first values; give them along its first axis',
    );
    expect(() => scan((h) => h, { outputsInfo: [h0], nSteps: 1, truncateGradient: 0 })).toThrow(
      'scan: truncateGradient is 0',
    );
  });

  test('gradients are disconnected or missing as those of the step are', () => {
    const opaque = defineOp({
      name: 'opaque',
      inferTypes: (inputs) => inputs.map(({ type }) => type),
      grad: () => [notDifferentiable('it is opaque')],
      run: (inputs) => inputs,
    });
    const [a, b] = [tensor('a', 'float64', [null, 2]), tensor('b', 'float64', [2])];
    const outputs = scan((row, h) => [add(h, 1), applyOp(opaque(), [row]), row], {
      sequences: [a],
      outputsInfo: [b, null, null],
    });
    const [counts, hidden, rows] = outputs.map((output) => sum(output));
    expect(() => grad(present(counts), [a])).toThrow(DisconnectedInput);
    expect(() => grad(present(hidden), [a])).toThrow(NotDifferentiable);
    expect(() => grad(present(hidden), [a])).toThrow('leads through scan: opaque: it is opaque');
    expect(() => grad(present(rows), [b])).toThrow(DisconnectedInput);
    expect(grad(present(rows), [a])).toHaveLength(1);
  });

  test('what is the same in every step is computed outside, and the text of the graph shows the step', () => {
    const [W, v] = [tensor('W', 'float64', [3, 3]), tensor('v', 'float64', [null, 3])];
    const first = tensor('first', 'float64', [3]);
    const [h] = scan((row, state) => tanh(add(mul(row, state), sum(square(W)))), {
      sequences: [v],
      outputsInfo: [first],
    });
    expect(printGraph([present(h)])).toBe(
      [
        'v: float64 (null, 3)',
        'W: float64 (3, 3)',
        'first: float64 (3,)',
        'dimension_0 = dimension{axis=0}(v): int64 ()',
        'square_0 = square(W): float64 (3, 3)',
        'sum_0 = sum{axis=[0,1], keepdims=false}(square_0): float64 ()',
        'scan_0, scan_1 = scan{backwardInputs=[false], states=1, backwardOutputs=[false], truncateGradient=null}(dimension_0, v, first, sum_0): float64 (3,), float64 (null, 3)',
        '  v[t]: float64 (3,)',
        '  first[t-1]: float64 (3,)',
        '  input_0: float64 ()',
        '  mul_0 = mul(v[t], first[t-1]): float64 (3,)',
        '  add_0 = add(mul_0, input_0): float64 (3,)',
        '  tanh_0 = tanh(add_0): float64 (3,)',
        '  return tanh_0, tanh_0',
        'return scan_1',
      ].join('\n'),
    );
    expect(dimension(present(h), 1).toString()).toBe('3');
  });
});
