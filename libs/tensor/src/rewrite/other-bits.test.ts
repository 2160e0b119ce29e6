import { describe, expect, test } from 'vitest';

import { add, compile, constant, dot, exp, mul, scan, sum, take, tanh, tensor, type Variable } from '../index.js';
import { array, present, spread } from '../../test/op-laws.js';
import { expectRewrite, expectUntouched, hard } from '../../test/rewrite-tester.js';
import { liftedElementwise } from './lifted-elementwise.js';
import { liftedProducts } from './lifted-products.js';
import { projectedEmbedding } from './projected-embeddings.js';

const x = tensor('x', 'float32', [3, 2, 4]);
const first = tensor('first', 'float32', [2, 4]);
const W = tensor('W', 'float32', [4, 4]);
const inputs = [x, first, W];
const ordinary = [
  array('float32', [3, 2, 4], [...spread([3, 2, 4], -2, 2).data].map(Number)),
  array('float32', [2, 4], [...spread([2, 4], -1, 1).data].map(Number)),
  array('float32', [4, 4], [...spread([4, 4], -1, 1).data].map(Number)),
];
const hardOnes = [{ ...hard(6, 4), shape: [3, 2, 4] }, hard(2, 4), hard(4, 4)];

/** Each output of a step that sees a row and a state. */
function steps(step: (row: Variable, state: Variable) => Variable, backward = false): Variable {
  const [states] = scan((row, state) => step(present(row), present(state)), {
    sequences: [x],
    outputsInfo: [first],
    goBackwards: backward,
  });
  return present(states);
}

describe('what a scan computes of its sequences alone', () => {
  test.each([false, true])('elementwise, is computed before it; backward: %s', async (backward) => {
    const outputs = [steps((row, state) => add(tanh(mul(exp(row), sum(W))), state), backward)];
    await expectRewrite(liftedElementwise, {
      inputs,
      outputs,
      values: hardOnes,
      ops: ['exp', 'sum', 'mul', 'tanh', 'add', 'scan'],
      ulps: 2,
    });
  });

  test('as products with one matrix, is computed before it, in one product', async () => {
    const outputs = [steps((row, state) => tanh(add(dot(dot(row, W), W), dot(state, W))))];
    const [states] = await expectRewrite(liftedProducts, {
      inputs,
      outputs,
      values: ordinary,
      ops: ['dot', 'dot', 'dot', 'add', 'tanh', 'scan'],
      ulps: 16,
    });
    expect(present(states).owner?.op.inner?.inputs[0]?.shape).toEqual([2, 4]);
    expect(present(states).owner?.inputs[1]?.owner?.op.name).toBe('dot');
  });

  test('stays inside where it is larger than its rows, or of a state', () => {
    const scans = [
      steps((row, state) => add(sum(mul(sum(row), W)), state)),
      steps((_row, state) => mul(tanh(state), 2)),
    ];
    for (const rewrite of [liftedElementwise, liftedProducts]) expectUntouched(rewrite, scans, inputs);
  });
});

describe('a table of which more rows are taken than it has', () => {
  const [table, matrix] = [tensor('table', 'float32', [4, 6]), tensor('matrix', 'float32', [6, 3])];
  const indices = tensor('indices', 'int64', [5, 2]);
  const given = [table, matrix, indices];
  const values = [
    array('float32', [4, 6], [...spread([4, 6], -1, 1).data].map(Number)),
    array('float32', [6, 3], [...spread([6, 3], -2, 1).data].map(Number)),
    array('int64', [5, 2], [0, 3, 1, -1, 0, 0, 2, 1, 3, -4]),
  ];
  const projected = dot(take(table, indices, { axis: 0 }), matrix);

  test('is projected first', async () => {
    const outputs = [projected];
    await expectRewrite(projectedEmbedding, { inputs: given, outputs, values, ops: ['dot', 'take'], ulps: 16 });
  });

  test('stays where it has more rows than are taken', () => {
    const few = dot(take(table, constant(array('int64', [3], [0, 1, 3])), { axis: 0 }), matrix);
    expectUntouched(projectedEmbedding, [few], given);
  });
});

test('they are asked for by name', async () => {
  const options = { inputs, outputs: [steps((row, state) => add(tanh(dot(row, W)), state))], engine: 'reference' };
  const [plain, lifted] = [await compile(options), await compile({ ...options, rewrites: ['liftProducts'] })];
  expect(plain.explain().rewritings.map(({ rewrite }) => rewrite)).not.toContain(liftedProducts.name);
  expect(lifted.explain().rewritings).toContainEqual(
    expect.objectContaining({ rewrite: liftedProducts.name, refused: undefined }),
  );
  // @ts-expect-error -- of a program in JavaScript
  await expect(compile({ ...options, rewrites: ['sparse'] })).rejects.toThrow(
    'compile: rewrites is "sparse"; give one of hoistProducts, liftProducts, projectEmbeddings',
  );
});
