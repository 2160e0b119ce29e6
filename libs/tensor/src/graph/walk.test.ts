import { expect, test } from 'vitest';

import { add, ancestors, constant, graphInputs, mul, scalar, shared, tanh, toposort, type Variable } from '../index.js';
import { call } from '../../test/call-op.js';

test('1.T-12: toposort puts each application after those it depends on, once', () => {
  const x = scalar('x');
  const square = mul(x, x);
  const output = add(tanh(square), square);
  const order = toposort([output, square]);
  expect(order.map(({ op }) => op.name)).toEqual(['mul', 'tanh', 'add']);
});

test('1.T-11: graphInputs are the variables that nothing computes, in order of first use', () => {
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

test('walks go into inner graphs only when asked; what is inside comes before what has it', () => {
  const [x, W] = [scalar('x'), shared(2, 'W')];
  const node = call([x], (one) => [tanh(mul(one, W))]);
  const output = add(node.output, 1);
  expect(toposort([output]).map(({ op }) => op.name)).toEqual(['call', 'add']);
  expect(toposort([output], { inside: true }).map(({ op }) => op.name)).toEqual(['mul', 'tanh', 'call', 'add']);
  expect(ancestors([output])).toHaveLength(5);
  expect(ancestors([output], { inside: true })).toHaveLength(5 + 4);
  expect(graphInputs([output]).map(String)).toEqual(['x', 'W', '1']);
});
