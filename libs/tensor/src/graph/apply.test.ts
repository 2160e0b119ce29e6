import { expect, test } from 'vitest';

import { Apply, dot, matrix, scalar, tanh, vector } from '../index.js';
import { dotOp } from '../ops/index.js';

test('1.T-87: a variable knows its type, its name and what computes it', () => {
  const [x, W] = [matrix('x'), matrix('W')];
  expect(x).toMatchObject({ name: 'x', owner: null, index: 0, dtype: 'float32', shape: [null, null], ndim: 2 });
  const product = dot(x, W);
  expect(product.owner?.outputs[product.index]).toBe(product);
  expect(`${x.toString()} and ${product.toString()}`).toBe('x and dot.0');
  product.name = 'scores';
  expect(product.toString()).toBe('scores');
});

test('1.T-88: an application has an op, its inputs and outputs of inferred types', () => {
  const [x, W] = [matrix('x'), vector('W')];
  const node = new Apply(dotOp(), [x, W]);
  expect(node.op.name).toBe('dot');
  expect(node.inputs).toEqual([x, W]);
  expect(node.output.type).toEqual({ dtype: 'float32', shape: [null] });
  expect(node.output.owner).toBe(node);
  expect(node.toString()).toBe('dot(x,W)');
  expect(() => node.outputAt(1)).toThrow('dot: there is no output 1; the op has 1');
});

test('applications are numbered in the order in which they are made', () => {
  const [first, second] = [tanh(scalar('x')), tanh(scalar('y'))];
  expect(second.owner?.serial).toBeGreaterThan(first.owner?.serial ?? Infinity);
});
