import { describe, expect, test } from 'vitest';

import {
  add,
  compile,
  constant,
  dot,
  exp,
  grad,
  logistic,
  mul,
  scalar,
  scan,
  scatterAdd,
  sub,
  sum,
  take,
  tanh,
  tensor,
  zerosLike,
  type Variable,
} from '../index.js';
import { array, present, spread } from '../../test/op-laws.js';
import {
  expectRefusal,
  expectRewrite,
  expectSameValues,
  expectUntouched,
  hard,
  opsOf,
} from '../../test/rewrite-tester.js';
import { liftedElementwise } from './lifted-elementwise.js';
import { liftedProducts } from './lifted-products.js';
import { gradientOfProjectedEmbedding, gradientOfProjection, projectedEmbedding } from './projected-embeddings.js';
import { rewritten } from './rewritten.js';
import { sparseDifference, sparseProduct, sparseSum } from './sparse-update.js';

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

describe('rows that are added to zeros', () => {
  const table = tensor('table', 'float32', [6, 4]);
  const rows = tensor('rows', 'float32', [3, 4]);
  const rate = scalar('rate');
  const sparse = (indices: readonly number[]): Variable =>
    scatterAdd(zerosLike(table), constant(array('int64', [3], indices)), rows);
  const values = [hard(6, 4), hard(3, 4)];
  const put = ['dimshuffle', 'fill', 'putAlongAxis'];

  test('and then to a table, are added to the table', async () => {
    const given = [table, rows];
    await expectRewrite(sparseSum, {
      inputs: given,
      outputs: [add(sparse([4, 0, 2]), table)],
      values,
      ops: put,
      // Of -0, which stays where nothing is added.
      ulps: 1,
    });
    await expectRewrite(sparseDifference, {
      inputs: given,
      outputs: [sub(table, sparse([4, 0, -1]))],
      values,
      ops: ['dimshuffle', 'fill', 'neg', 'putAlongAxis'],
    });
    await expectRewrite(sparseSum, {
      inputs: given,
      outputs: [add(table, sparse([4, 0, 4]))],
      values: [
        array('float32', [6, 4], [...spread([6, 4], 1, 2).data].map(Number)),
        array('float32', [3, 4], [...spread([3, 4], 1, 2).data].map(Number)),
      ],
      ops: put,
      ulps: 2,
    });
  });

  test('and multiplied with a number, are multiplied first', async () => {
    await expectRewrite(sparseProduct, {
      inputs: [rate, table, rows],
      outputs: [mul(rate, sparse([1, 2, 3]))],
      values: [array('float32', [], [-0.3]), ...values],
      ops: ['fill', 'dimshuffle', 'fill', 'mul', 'putAlongAxis'],
      // The zeros between them are no longer negative.
      ulps: 1,
    });
  });

  test('stay where the sum may broadcast, or where they are no zeros', () => {
    const wide = tensor('wide', 'float32', [2, 6, 4]);
    expectRefusal(sparseSum, [add(wide, sparse([1, 2, 3]))], 'it may broadcast', [wide, table, rows]);
    const ofTable = scatterAdd(table, constant(array('int64', [3], [1, 2, 3])), rows);
    expectUntouched(sparseSum, [add(table, ofTable)], [table, rows]);
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

  test('has gradients of what is summed by its rows first, and so has what it is projected by', async () => {
    const [ofTable, ofMatrix] = grad(sum(tanh(projected)), [table, matrix]).map(present);
    const { outputs, history } = rewritten([present(ofTable), present(ofMatrix)], {
      inputs: given,
      stages: [[gradientOfProjection, gradientOfProjectedEmbedding]],
    });
    expect(history.fired).toEqual(
      new Map([
        [gradientOfProjectedEmbedding.name, 1],
        [gradientOfProjection.name, 1],
      ]),
    );
    expect(opsOf(outputs)).not.toContain('putAlongAxis');
    await expectSameValues(given, [present(ofTable), present(ofMatrix)], outputs, values, 64);
  });

  test('stays where it has more rows than are taken, or than each has numbers', () => {
    const few = dot(take(table, constant(array('int64', [3], [0, 1, 3])), { axis: 0 }), matrix);
    expectUntouched(projectedEmbedding, [few], given);
    const long = tensor('long', 'float32', [4, 2]);
    const narrow = sum(tanh(dot(take(long, indices, { axis: 0 }), tensor('V', 'float32', [2, 3]))));
    expectUntouched(gradientOfProjectedEmbedding, grad(narrow, [long]), [long, indices]);
  });
});

test('they are asked for by name', async () => {
  const indices = tensor('indices', 'int64', [null]);
  const table = tensor('table', 'float32', [300, 4]);
  const [gradient] = grad(sum(logistic(take(table, indices, { axis: 0 }))), [table]);
  const updated = sub(table, mul(0.1, present(gradient)));
  const options = { inputs: [indices, table], outputs: [updated], engine: 'reference' };
  const [plain, sparse] = [await compile(options), await compile({ ...options, rewrites: ['sparseUpdates'] })];
  expect(plain.explain().rewritings.map(({ rewrite }) => rewrite)).not.toContain('sparse update by a difference');
  expect(sparse.explain().rewritings).toContainEqual({
    rewrite: 'sparse update by a difference',
    output: '`sub.0` float32 (300, 4)',
    refused: undefined,
  });
  // @ts-expect-error -- of a program in JavaScript
  await expect(compile({ ...options, rewrites: ['sparse'] })).rejects.toThrow(
    'compile: rewrites is "sparse"; give one of hoistProducts, liftProducts, projectEmbeddings, sparseUpdates',
  );
});
