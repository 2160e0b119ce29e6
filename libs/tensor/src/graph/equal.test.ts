import { expect, test } from 'vitest';

import {
  add,
  constant,
  equalGraphs,
  equalOps,
  mul,
  scalar,
  sub,
  sum,
  tanh,
  tensor,
  toposort,
  type Op,
  type Variable,
} from '../index.js';
import { call } from '../../test/call-op.js';
import { array, present } from '../../test/op-laws.js';
import { duplicatesIn } from './equal.js';

const [x, y] = [scalar('x'), scalar('y')];

function opOf(output: Variable): Op {
  return present(output.owner ?? undefined).op;
}

test('ops are equal by name, parameters and inner graph', () => {
  const v = tensor('v', 'float32', [2, 3]);
  expect(equalOps(opOf(sum(v, { axis: 0 })), opOf(sum(v, { axis: [0] })))).toBe(true);
  expect(equalOps(opOf(sum(v, { axis: 0 })), opOf(sum(v, { axis: 1 })))).toBe(false);
  expect(equalOps(opOf(sum(v, { axis: 0 })), opOf(sum(v, { axis: [0, 1] })))).toBe(false);
  expect(equalOps(opOf(tanh(x)), opOf(add(x, y)))).toBe(false);
  const inner = (body: (one: Variable) => Variable): Op => call([x], (one) => [body(one)]).op;
  expect(equalOps(inner(tanh), inner(tanh))).toBe(true);
  expect(
    equalOps(
      inner(tanh),
      inner((one) => tanh(tanh(one))),
    ),
  ).toBe(false);
});

test('graphs are equal when they are built alike from their inputs, whatever the names', () => {
  const graph = (build: (a: Variable, b: Variable) => Variable): { inputs: Variable[]; outputs: Variable[] } => {
    const [a, b] = [scalar('a'), scalar('b')];
    return { inputs: [a, b], outputs: [build(a, b)] };
  };
  const difference = graph((a, b) => sub(mul(a, 2), b));
  const renamed = graph((a, b) => sub(mul(a, 2), b));
  present(renamed.outputs[0]).name = 'renamed';
  expect(equalGraphs(difference, renamed)).toBe(true);
  expect(
    equalGraphs(
      difference,
      graph((a, b) => sub(mul(b, 2), a)),
    ),
  ).toBe(false);
  expect(
    equalGraphs(
      difference,
      graph((a, b) => sub(mul(a, 3), b)),
    ),
  ).toBe(false);
  expect(
    equalGraphs(
      difference,
      graph((a) => sub(mul(a, 2), y)),
    ),
  ).toBe(false);
  expect(
    equalGraphs(
      graph((a) => add(a, y)),
      graph((a) => add(a, y)),
    ),
  ).toBe(true);
  const vector = (values: number[]): ReturnType<typeof graph> =>
    graph((a) => add(a, constant(array('float32', [2], values))));
  expect(equalGraphs(vector([0, Number.NaN]), vector([0, Number.NaN]))).toBe(true);
  expect(equalGraphs(vector([0, 1]), vector([-0, 1]))).toBe(false);
});

test('what is computed in the same way more than once is found, with the first of it', () => {
  const v = tensor('v', 'float32', [2, 3]);
  const [first, second] = [mul(tanh(v), constant(2)), mul(tanh(v), constant(2))];
  const others = [mul(tanh(v), constant(3)), sum(first, { axis: 0 }), sum(first, { axis: 1 })];
  const duplicates = duplicatesIn(toposort([first, second, ...others]));
  expect(duplicates.get(second)).toBe(first);
  expect([first, ...others].map((variable) => duplicates.has(variable))).toEqual([false, false, false, false]);
});
