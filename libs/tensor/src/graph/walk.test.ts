import { expect, test } from 'vitest';

import {
  add,
  ancestors,
  constant,
  graphInputs,
  mul,
  printGraph,
  scalar,
  shared,
  tanh,
  tensor,
  toposort,
  type Variable,
} from '../index.js';

test('toposort puts each application after those it depends on, once', () => {
  const x = scalar('x');
  const square = mul(x, x);
  const output = add(tanh(square), square);
  const order = toposort([output, square]);
  expect(order.map(({ op }) => op.name)).toEqual(['mul', 'tanh', 'add']);
});

test('graphInputs are the variables that nothing computes, in order of first use', () => {
  const [x, W, one] = [scalar('x'), shared(2, 'W'), constant(1)];
  const output = add(mul(x, W), one);
  expect(graphInputs([output])).toEqual([x, W, one]);
  expect(graphInputs([x])).toEqual([x]);
  expect(ancestors([output])).toHaveLength(5);
});

test('walks stop at blockers', () => {
  const x = scalar('x');
  const middle = tanh(x);
  const output = mul(middle, 2);
  expect(graphInputs([output], { blockers: [middle] }).map(String)).toEqual(['tanh.0', '2']);
  expect(toposort([output], { blockers: [middle] }).map(({ op }) => op.name)).toEqual(['mul']);
});

test('a graph may be far deeper than the stack of JavaScript', () => {
  let output: Variable = scalar('x');
  for (let step = 0; step < 50_000; step += 1) output = tanh(output);
  expect(toposort([output])).toHaveLength(50_000);
  expect(graphInputs([output]).map(String)).toEqual(['x']);
});

test('a graph prints with its types, and shared parts once', () => {
  const x = tensor('x', 'float32', [null, 2]);
  const y = tanh(x);
  y.name = 'y';
  expect(printGraph([mul(y, y)])).toBe(
    [
      '#0 mul float32 (null, 2)',
      "  #1 tanh float32 (null, 2) 'y'",
      '    x float32 (null, 2)',
      "  #1 tanh float32 (null, 2) 'y' (above)",
    ].join('\n'),
  );
});
