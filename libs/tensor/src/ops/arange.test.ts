import { expect, test } from 'vitest';

import { arange, compile, scalar } from '../index.js';
import { array, expectClose, present } from '../../test/op-laws.js';

test.each(['reference', 'onnxruntime'] as const)('1.T-17 bounds may be computed: %s', async (engine) => {
  const [start, stop, step] = [scalar('start', 'int64'), scalar('stop', 'int64'), scalar('step', 'int64')];
  const f = await compile({ inputs: [start, stop, step], outputs: [arange(start, stop, { step })], engine });
  for (const [from, to, by] of [
    [0, 3, 1],
    [5, -2, -3],
    [3, 3, 1],
    [4, 1, 1],
    [-3, 4, 2],
  ] as const) {
    const [got] = await f.run([from, to, by].map((bound) => array('int64', [], [bound])));
    const expected = [];
    for (let value: number = from; by > 0 ? value < to : value > to; value += by) expected.push(value);
    expectClose(present(got), array('int64', [expected.length], expected));
  }
  await expect(f.run([0, 3, 0].map((bound) => array('int64', [], [bound])))).rejects.toThrow(/step|delta/);
  await f.dispose();
});

test('the dtype is that of integers where all bounds are, and fractions need floats', () => {
  expect(arange(0, 3).type).toEqual({ dtype: 'int64', shape: [3] });
  expect(arange(0, 1, { step: 0.25 }).type).toEqual({ dtype: 'float32', shape: [4] });
  expect(arange(0, scalar('n', 'int32')).type).toEqual({ dtype: 'int64', shape: [null] });
  expect(arange(0, 3, { dtype: 'float64' }).type).toEqual({ dtype: 'float64', shape: [3] });
  expect(() => arange(0, 1.5, { dtype: 'int32' })).toThrow(
    'arange: the bounds 0, 1.5, 1 are not all integers, as int32',
  );
  expect(() => arange(0, 3, { step: 0 })).toThrow('must be scalars, the last, which is the step, not 0');
});
