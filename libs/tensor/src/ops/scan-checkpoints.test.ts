import { sizeOf } from '@longrun/serialization';
import { expect, test } from 'vitest';

import {
  add,
  ancestors,
  compile,
  grad,
  mul,
  scan,
  scanCheckpoints,
  shared,
  slice,
  sum,
  tanh,
  tensor,
  type Variable,
} from '../index.js';
import { array, expectClose, present, spread } from '../../test/op-laws.js';

const ENGINES = ['reference', 'onnxruntime'] as const;

const step = (row: Variable, state: Variable, weights: Variable): [Variable, Variable] => {
  const next = tanh(add(mul(state, weights), row));
  return [next, mul(next, row)];
};

test.each(
  ENGINES.flatMap((engine) =>
    [0, 1, 4, 6, 7].flatMap((steps) => [true, false].map((known) => ({ engine, steps, known }))),
  ),
)(
  'checkpoints and gradients are those of a scan: $engine, $steps steps, known: $known',
  async ({ engine, steps, known }) => {
    const saveEvery = 3;
    const x = tensor('x', 'float64', [known ? steps : null, 2]);
    const [initial, weights] = [tensor('initial', 'float64', [2]), tensor('weights', 'float64', [2])];
    const options = { sequences: [x], nonSequences: [weights] };
    const all = scan(step, { ...options, outputsInfo: [initial, null] });
    const checkpoints = scanCheckpoints(step, { ...options, outputsInfo: [initial, null], saveEvery });
    const ends = Array.from({ length: Math.ceil(steps / saveEvery) }, (_, part) =>
      Math.min(steps, (part + 1) * saveEvery),
    );
    const costOf = (values: readonly Variable[]): Variable => sum(add(present(values[0]), present(values[1])));
    const wanted = ends.map((end) => all.map((values) => slice(values, end - 1, end)));
    const wrt = [x, initial, weights];
    const zero = { disconnectedInputs: 'zero' } as const;
    const wantedCost = wanted.map(costOf).reduce<Variable>((total, cost) => add(total, cost), mul(sum(initial), 0));
    const f = await compile({
      inputs: wrt,
      outputs: [
        ...checkpoints,
        ...grad(costOf(checkpoints), wrt, zero),
        ...grad(wantedCost, wrt, zero),
        ...wanted.flat(),
      ],
      engine,
      threads: 1,
    });
    const results = await f.run([spread([steps, 2], -1, 1), spread([2], -1, 1, 1), spread([2], -1, 1, 2)]);
    await f.dispose();
    const rows = results.slice(8);
    for (const output of [0, 1]) {
      const expected = rows
        .filter((_, position) => position % 2 === output)
        .flatMap(({ data }) => Array.from(data, Number));
      expectClose(present(results[output]), array('float64', [ends.length, 2], expected));
    }
    for (const position of [2, 3, 4]) expectClose(present(results[position]), present(results[position + 3]));
  },
);

test('no variable of the gradients holds the states of all steps', () => {
  const [initial, weights] = [shared(spread([50], -1, 1)), shared(spread([50], -1, 1, 1))];
  const turn = (state: Variable): Variable => tanh(mul(state, weights));
  const largest = (states: Variable): number => {
    const gradients = grad(sum(slice(states, -1, null)), [initial, weights]);
    return Math.max(...ancestors(gradients, { inside: true }).map(({ shape }) => sizeOf(shape.map(Number))));
  };
  const info = { outputsInfo: [initial], nSteps: 100 };
  expect(largest(present(scan(turn, info)[0]))).toBeGreaterThanOrEqual(100 * 50);
  expect(largest(present(scanCheckpoints(turn, { ...info, saveEvery: 10 })[0]))).toBeLessThanOrEqual(11 * 50);
});

test('what does not say how many steps to make, or says it twice, is refused', () => {
  const [x, y, state] = [tensor('x', 'float32', [4]), tensor('y', 'float32', [5]), tensor('state', 'float32', [])];
  const build = (sequences: Variable[], options: object): (() => unknown) => {
    return () =>
      scanCheckpoints((...all) => tanh(present(all.at(-1))), { sequences, outputsInfo: [state], ...options });
  };
  expect(build([], {})).toThrow('give sequences or nSteps');
  expect(build([x], { nSteps: 4 })).toThrow('give sequences or nSteps');
  expect(build([x], { saveEvery: 0 })).toThrow('saveEvery is 0; give an integer of 1 or more');
  expect(build([x, y], {})).toThrow('reshape');
});
