import { describe, expect, test } from 'vitest';

import { dot, grad, mul, sum, take, tanh, tensor, type Variable } from '../index.js';
import { array, present, spread } from '../../test/op-laws.js';
import { expectSameValues, expectUntouched } from '../../test/rewrite-tester.js';
import { gradientOfProjectedEmbedding, gradientOfProjection } from './gradients-of-projections.js';
import { rewritten } from './rewritten.js';

const [table, matrix] = [tensor('table', 'float32', [4, 6]), tensor('matrix', 'float32', [6, 3])];
const indices = tensor('indices', 'int64', [5, 2]);
const factors = tensor('factors', 'float32', [5, 2, 3]);
const inputs = [table, matrix, indices, factors];
/** Row 2 of the table is taken nowhere. */
const places = array('int64', [5, 2], [0, 3, 1, -1, 0, 0, 1, 1, 3, -4]);

describe('a table that is projected after more rows are taken than it has', () => {
  const projected = dot(take(table, indices, { axis: 0 }), matrix);
  const before = grad(sum(tanh(mul(projected, factors))), [table, matrix]);

  test('has gradients of sums by its rows, and so has what it is projected by', async () => {
    await expectSameGradients(before, [numbers([4, 6]), numbers([6, 3]), places, numbers([5, 2, 3])]);
  });

  test('has no number where it had none, and numbers where it had some', async () => {
    const wide = numbers([4, 6], { 12: Infinity, 13: Number.NaN });
    await expectSameGradients(before, [wide, numbers([6, 3]), places, numbers([5, 2, 3], { 4: Number.NaN })]);
  });

  test('has zeros where it is taken nowhere, whatever it is projected by', async () => {
    const endless = numbers([6, 3], { 7: Infinity });
    await expectSameGradients(before, [numbers([4, 6]), endless, places, numbers([5, 2, 3])]);
  });

  test('has the gradients that it had where each row has fewer numbers than there are rows, or few are taken', () => {
    const long = tensor('long', 'float32', [4, 2]);
    const narrow = sum(tanh(dot(take(long, indices, { axis: 0 }), tensor('V', 'float32', [2, 3]))));
    expectUntouched(gradientOfProjectedEmbedding, grad(narrow, [long]), [long, indices]);
    const some = tensor('some', 'int64', [7]);
    const few = sum(tanh(dot(take(table, some, { axis: 0 }), matrix)));
    expectUntouched(gradientOfProjectedEmbedding, grad(few, [table]), [table, matrix, some]);
    expectUntouched(gradientOfProjection, grad(few, [matrix]), [table, matrix, some]);
  });
});

async function expectSameGradients(
  before: readonly Variable[],
  values: Parameters<typeof expectSameValues>[3],
): Promise<void> {
  const { outputs, history } = rewritten(before, {
    inputs,
    stages: [[gradientOfProjection, gradientOfProjectedEmbedding]],
  });
  expect(history.fired).toEqual(
    new Map([
      [gradientOfProjectedEmbedding.name, 1],
      [gradientOfProjection.name, 1],
    ]),
  );
  await expectSameValues(inputs, before, outputs.map(present), values, 64);
}

/** Ordinary ones, but for those at some places. */
function numbers(shape: readonly number[], others: Readonly<Record<number, number>> = {}): ReturnType<typeof array> {
  return array(
    'float32',
    shape,
    [...spread(shape, -1, 1).data].map((value, place) => others[place] ?? Number(value)),
  );
}
