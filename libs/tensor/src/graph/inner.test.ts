import { expect, test } from 'vitest';

import { add, closeOver, exp, mul, printGraph, scalar, tagKey, tanh } from '../index.js';
import { present } from '../../test/op-laws.js';

const ROLE = tagKey<string>('role');

test('a graph is closed by inputs for what it uses of the outside, and what needs no input is computed outside', () => {
  const [state, W, shift] = [scalar('state'), scalar('W'), scalar('shift')];
  const transform = exp(W);
  transform.name = 'transform';
  transform.tag.set(ROLE, 'WEIGHT');
  const product = mul(state, transform);
  const outputs = [tanh(add(product, add(shift, 1))), transform, state];
  const { graph, captured } = closeOver({ inputs: [state], outputs });
  expect(captured.map(String)).toEqual(['transform', 'add.0']);
  expect(printGraph(graph.outputs)).toBe(
    [
      'state: float32 ()',
      'transform: float32 ()',
      'input_0: float32 ()',
      'mul_0 = mul(state, transform): float32 ()',
      'add_0 = add(mul_0, input_0): float32 ()',
      'tanh_0 = tanh(add_0): float32 ()',
      'return tanh_0, transform, state',
    ].join('\n'),
  );
  expect(graph.inputs).toHaveLength(3);
  expect(graph.inputs[1]?.tag.isEmpty).toBe(true);
  expect(transform.tag.get(ROLE)).toBe('WEIGHT');
  expect(graph.outputs[1]).toBe(graph.inputs[1]);
});

test('a graph that uses nothing of the outside stays as it is', () => {
  const state = scalar('state');
  const output = tanh(mul(state, 2));
  const { graph, captured } = closeOver({ inputs: [state], outputs: [output] });
  expect([graph.outputs[0], captured.length]).toEqual([output, 0]);
});

test('the caller may say what is outside', () => {
  const [x, y] = [scalar('x'), scalar('y')];
  const branch = mul(tanh(x), y);
  const { captured } = closeOver({ inputs: [], outputs: [branch] }, (variable) => variable.owner === null);
  expect(captured).toEqual([x, y]);
  expect(closeOver({ inputs: [], outputs: [branch] }).captured).toEqual([present(branch)]);
});
