import { expect, test } from 'vitest';

import {
  add,
  applyOp,
  at,
  concatenate,
  defineOp,
  dimension,
  dimshuffle,
  dot,
  matrix,
  mul,
  pad,
  pick,
  reshape,
  softmaxCrossEntropy,
  sum,
  tensor,
  vector,
  zeros,
  type Variable,
} from '../index.js';
import { madeTogether } from '../graph/origin.js';
import { equalSizes } from './equal-sizes.js';

test('features, masks and targets share their batch size', () => {
  const [features, mask] = [tensor('features', 'float32', [null, 3]), vector('mask')];
  const targets = tensor('targets', 'int64', [null]);
  const W = tensor('W', 'float32', [3, 2]);
  const cost = sum(mul(softmaxCrossEntropy(dot(features, W), targets), mask));
  expect(equalSizes([features, mask, targets], [cost])).toEqual([
    [
      { input: 0, axis: 0 },
      { input: 1, axis: 0 },
      { input: 2, axis: 0 },
    ],
  ]);
});

test('what broadcasts or is joined need not be equal', () => {
  const [a, b] = [matrix('a'), matrix('b')];
  expect(equalSizes([a, b], [add(dimshuffle(a, [0, 'x', 1]), dimshuffle(b, ['x', 0, 1]))])).toEqual([
    [
      { input: 0, axis: 1 },
      { input: 1, axis: 1 },
    ],
  ]);
  expect(equalSizes([a, b], [concatenate([a, b])])).toEqual([
    [
      { input: 0, axis: 1 },
      { input: 1, axis: 1 },
    ],
  ]);
});

test('sizes of which only a product or a sum is fixed are not taken for equal', () => {
  const [a, b] = [vector('a'), vector('b')];
  expect(equalSizes([a, b], [reshape(concatenate([a, b]), [-1, 3])])).toEqual([]);
});

test('two axes of one input can have to be equal', () => {
  const square = matrix('square');
  expect(equalSizes([square], [dot(square, square)])).toEqual([
    [
      { input: 0, axis: 0 },
      { input: 0, axis: 1 },
    ],
  ]);
});

test('labels and rows of more axes share them in pairs', () => {
  const [x, labels] = [tensor('x', 'float32', [null, null, 4]), tensor('labels', 'int64', [null, null])];
  expect(equalSizes([x, labels], [pick(x, labels)])).toEqual([
    [
      { input: 0, axis: 0 },
      { input: 1, axis: 0 },
    ],
    [
      { input: 0, axis: 1 },
      { input: 1, axis: 1 },
    ],
  ]);
});

test('graphs beside each other are tried each by itself: the work grows with their number, not with its square', () => {
  const inferencesOf = (graphs: number): number => {
    let inferences = 0;
    const counted = defineOp({
      name: 'counted',
      inferTypes: (operands) => {
        inferences += 1;
        return operands.slice(0, 1).map(({ type }) => type);
      },
      grad: () => [],
      run: (operands) => operands.slice(0, 1),
    });
    const inputs = Array.from(
      { length: graphs },
      (_, position) => [vector(`a${position}`), vector(`b${position}`)] as const,
    );
    const outputs = inputs.map(([a, b]) => applyOp(counted(), [mul(a, b)]));
    inferences = 0;
    expect(equalSizes(inputs.flat(), outputs)).toHaveLength(graphs);
    return inferences;
  };
  const one = inferencesOf(1);
  expect(one).toBeGreaterThan(0);
  expect(inferencesOf(8)).toBe(8 * one);
});

test('a size that is made of another must be equal to one made alike', () => {
  const [a, b, c] = [vector('a'), vector('b'), matrix('c')];
  const cost = sum(mul(pad(a, [[1, 1]]), pad(b, [[0, 2]])));
  expect(equalSizes([a, b, c], [add(cost, sum(c))])).toEqual([
    [
      { input: 0, axis: 0 },
      { input: 1, axis: 0 },
    ],
  ]);
});

test('a size that is computed of another is that size: zeros beside which rows stand, and rows that are put in order anew', () => {
  const [rows, features] = [tensor('rows', 'float32', [null, 3]), tensor('features', 'float32', ['batch', null])];
  const batches = [
    { input: 0, axis: 0 },
    { input: 1, axis: 0 },
  ];
  const states = zeros([dimension(features, 0), 3]);
  expect(equalSizes([rows, features], [add(rows, states), sum(features)])).toEqual([batches]);
  const turned = reshape(features, [dimension(features, 1), dimension(features, 0)]);
  expect(equalSizes([rows, features], [dot(turned, rows)])).toEqual([batches]);
});

test('a size that one op wants to be a number must still equal another where another op says so', () => {
  const [a, b] = [vector('a'), vector('b')];
  expect(equalSizes([a, b], [add(a, tensor('d', 'float32', [5])), add(a, b)])).toEqual([
    [
      { input: 0, axis: 0 },
      { input: 1, axis: 0 },
    ],
  ]);
});

test('a size that the graph knows is none of those that are tried, whatever it is', () => {
  const taken = madeTogether(() => {
    const found: number[] = [];
    for (let known = 9_000; known < 14_000; known += 1) {
      const [a, b, c] = [vector('a'), vector('b'), vector('c')];
      const outputs = [add(a, tensor('d', 'float32', [known])), sum(add(b, sum(c)))];
      if (equalSizes([a, b, c], outputs).length > 0) found.push(known);
    }
    return found;
  });
  expect(taken).toEqual([]);
});

test.each([
  ['one after the other', (parts: readonly Variable[]): Variable => parts.reduce((total, part) => add(total, part))],
  ['by two', sumByTwo],
  ['side by side', (parts: readonly Variable[]): Variable => concatenate(parts, 1)],
  ['each to a number', (parts: readonly Variable[]): Variable => sumByTwo(parts.map((part) => sum(part)))],
])('the work for many inputs of one cost grows with their number: joined %s', (_, join) => {
  const inferencesOf = (count: number): { inferences: number; groups: number[] } => {
    let inferences = 0;
    const counted = defineOp({
      name: 'counted',
      inferTypes: (operands) => {
        inferences += 1;
        return operands.map(({ type }) => type);
      },
      grad: () => [],
      run: (operands) => operands,
    });
    const inputs = Array.from({ length: count }, (__, position) => matrix(`a${position}`));
    const outputs = [join(inputs.map((input) => applyOp(counted(), [input])))];
    inferences = 0;
    return { groups: equalSizes(inputs, outputs).map(({ length }) => length), inferences };
  };
  const [few, many] = [inferencesOf(10), inferencesOf(100)];
  expect(many.inferences).toBe(10 * few.inferences);
  expect(many.groups).toEqual(few.groups.map((length) => 10 * length));
});

/** A sum whose graph is as deep as the logarithm of the number of parts. */
function sumByTwo(parts: readonly Variable[]): Variable {
  if (parts.length < 2) return at(parts, 0);
  const half = Math.ceil(parts.length / 2);
  return add(sumByTwo(parts.slice(0, half)), sumByTwo(parts.slice(half)));
}
