import { inspect } from 'node:util';

import { expect, test } from 'vitest';

import {
  add,
  constant,
  dot,
  graphviz,
  mul,
  printGraph,
  scalar,
  shared,
  tanh,
  tensor,
  type Variable,
} from '../index.js';
import { call } from '../../test/call-op.js';
import { array } from '../../test/op-laws.js';

function example(): Variable[] {
  const x = tensor('x', 'float32', [null, 2]);
  const hidden = tanh(dot(x, constant(array('float32', [2, 2], [1, 2, 3, 4]))));
  hidden.name = 'hidden';
  const scale = scalar('scale');
  const node = call([hidden], (one) => [mul(one, scale), add(one, 0.5)]);
  const namesake = add(node.outputAt(0), node.outputAt(1));
  namesake.name = 'hidden';
  return [namesake, hidden];
}

test('a graph prints as one line for each application, every variable by one name, inner graphs below what has them', () => {
  expect(printGraph(example())).toBe(
    [
      'x: float32 (null, 2)',
      'constant_0: float32 (2, 2)',
      'scale: float32 ()',
      'dot_0 = dot(x, constant_0): float32 (null, 2)',
      'hidden = tanh(dot_0): float32 (null, 2)',
      'call_0, call_1 = call(hidden, scale): float32 (null, 2), float32 (null, 2)',
      '  input_0: float32 (null, 2)',
      '  scale_0: float32 ()',
      '  mul_0 = mul(input_0, scale_0): float32 (null, 2)',
      '  add_0 = add(input_0, 0.5): float32 (null, 2)',
      '  return mul_0, add_0',
      'hidden_0 = add(call_0, call_1): float32 (null, 2)',
      'return hidden_0, hidden',
    ].join('\n'),
  );
});

test('graphs that are built alike print alike', () => {
  expect(printGraph(example())).toBe(printGraph(example()));
  expect(graphviz(example())).toBe(graphviz(example()));
});

test('a graph is drawn in the language of Graphviz: boxes, ellipses, arrows, and a frame for an inner graph', () => {
  const x = scalar('x "quoted"');
  const { output } = call([x], (one) => [tanh(one)]);
  expect(graphviz([output])).toBe(
    [
      'digraph {',
      '  n0 [label="x \\"quoted\\"\\nfloat32 ()", shape=ellipse];',
      '  subgraph cluster_1 {',
      '  label="call";',
      '  n1 [label="input_0\\nfloat32 ()", shape=ellipse];',
      '  n2 [label="tanh", shape=box];',
      '  n1 -> n2;',
      '  n3 [label="output 0", shape=plaintext];',
      '  n2 -> n3 [label="tanh_0\\nfloat32 ()"];',
      '  }',
      '  n4 [label="call", shape=box];',
      '  n0 -> n4;',
      '  n5 [label="output 0", shape=plaintext];',
      '  n4 -> n5 [label="call_0\\nfloat32 ()"];',
      '}',
    ].join('\n'),
  );
});

test('console.log shows a variable by its type and what it is made of, and the value of one that has one', () => {
  const x = tensor('x', 'float32', ['batch', 2]);
  const W = shared(
    [
      [1, 0.123_456],
      [NaN, -2],
    ],
    'W',
  );
  expect(inspect(x)).toBe('x: float32 (batch, 2)');
  expect(inspect(W)).toBe('W: float32 (2, 2), shared: [[1, 0.1235], [NaN, -2]]');
  expect(inspect(dot(x, W))).toBe('dot.0: float32 (batch, 2) = dot(x, W)');
  expect(inspect(constant(3, 'int64'))).toBe('3: int64 (), constant: 3');
  const large = shared(
    array(
      'float32',
      [3, 5],
      Array.from({ length: 15 }, (_, at) => at),
    ),
  );
  expect(inspect(large)).toContain('shared: [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14]]');
  expect(
    inspect(
      shared(
        array(
          'float32',
          [20],
          Array.from({ length: 20 }, () => 7),
        ),
      ),
    ),
  ).toContain('shared: [7, 7, 7, ..., 7, 7, 7]');
});
