import { expect, test } from 'vitest';

import {
  constant,
  advancedIndex,
  compile,
  grad,
  index,
  mul,
  putAlongAxis,
  scatterAdd,
  slice,
  square,
  sum,
  take,
  takeAlongAxis,
  tensor,
  type Variable,
} from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectGradientsRight, present, spread, type Build } from '../../test/op-laws.js';

const engines = ['reference', 'onnxruntime'] as const;
const rows = array('int64', [2, 2], [2, 0, -1, 2]);
const picks = array('int64', [3, 2], [0, 3, -1, 1, 2, 2]);

const cases: readonly { readonly name: string; readonly build: Build; readonly indices: ReturnType<typeof array> }[] = [
  { name: '1.T-62 take of rows', build: (x, at) => take(present(x), present(at), { axis: 0 }), indices: rows },
  { name: '1.T-62 take of columns', build: (x, at) => take(present(x), present(at), { axis: -1 }), indices: rows },
  { name: '1.T-62 take of a flattened array', build: (x, at) => take(present(x), present(at)), indices: rows },
  {
    name: 'take with indices clipped',
    build: (x, at) => take(present(x), mul(present(at), 9), { axis: 0, mode: 'clip' }),
    indices: rows,
  },
  { name: '1.T-76 rows', build: (x, at) => advancedIndex(present(x), present(at)), indices: rows },
  { name: '1.T-76 pairs', build: (x, at) => advancedIndex(present(x), present(at), present(at)), indices: rows },
  {
    name: 'index by a variable',
    build: (x, at) => index(present(x), sum(present(at)), { axis: 1 }),
    indices: array('int64', [2], [-3, 1]),
  },
  { name: 'takeAlongAxis', build: (x, at) => takeAlongAxis(present(x), present(at)), indices: picks },
  {
    name: 'putAlongAxis',
    build: (x, at) => mul(putAlongAxis(present(x), present(at), slice(present(x), 1, 3, { axis: 1 })), present(x)),
    indices: array('int64', [3, 2], [0, 3, -1, 1, 2, 0]),
  },
  {
    name: 'scatterAdd',
    build: (x, at) => mul(scatterAdd(present(x), present(at), square(present(x))), present(x)),
    indices: array('int64', [3], [1, -1, 1]),
  },
];

test.each(cases)('the gradients of $name and of their own are right on both engines', async ({ build, indices }) => {
  const values = [spread([3, 4], -2, 2), indices];
  await expectGradientsRight((...inputs) => square(build(...inputs)), values);
  await expectEnginesAgree((...inputs) => slope(build, inputs), values, { gradients: true });
});

/** The gradient of a cubic cost, which has one of its own. */
function slope(build: Build, inputs: readonly Variable[]): Variable {
  const output = build(...inputs);
  return present(grad(sum(mul(square(output), output)), [present(inputs[0])])[0]);
}

test.each(engines)('an index out of range is an error: %s', async (engine) => {
  const x = array('float32', [2, 3], [1, 2, 3, 4, 5, 6]);
  const beyond = array('int64', [1], [3]);
  const outside = /out of (range|bounds|data bounds)/i;
  const of = (build: Build): Promise<unknown> => evaluate(engine, build, [x, beyond]);
  await expect(of((v, at) => take(present(v), present(at), { axis: 1 }))).rejects.toThrow(outside);
  await expect(of((v, at) => index(present(v), sum(present(at))))).rejects.toThrow(outside);
  // As a place in the whole array (0, 3) would be that of (1, 0).
  const zero = array('int64', [1], [0]);
  const pair = evaluate(engine, (v, at, first) => advancedIndex(present(v), present(first), present(at)), [
    x,
    beyond,
    zero,
  ]);
  await expect(pair).rejects.toThrow(outside);
  const column = array('int64', [2, 1], [0, 3]);
  await expect(evaluate(engine, (v, at) => takeAlongAxis(present(v), present(at)), [x, column])).rejects.toThrow(
    outside,
  );
});

test('rows that come twice are added twice, in the order given, whatever the threads', async () => {
  const [x, at, updates] = [
    tensor('x', 'float32', [2, 64]),
    tensor('at', 'int64', [null]),
    tensor('u', 'float32', [null, 64]),
  ];
  const count = 4000;
  const values = [
    array(
      'float32',
      [2, 64],
      Array.from({ length: 128 }, () => 0),
    ),
    array(
      'int64',
      [count],
      Array.from({ length: count }, () => 1),
    ),
    array(
      'float32',
      [count, 64],
      Array.from({ length: count * 64 }, (_, k) => Math.sin(k) * 10 ** (k % 7)),
    ),
  ];
  const sums = [];
  for (const threads of [1, 4, 4]) {
    const f = await compile({ inputs: [x, at, updates], outputs: [scatterAdd(x, at, updates)], threads });
    sums.push(...(await f.run(values)));
    await f.dispose();
  }
  expect(sums[1]).toEqual(sums[0]);
  expect(sums[2]).toEqual(sums[0]);
});

test('index says that there is no such element when the graph is built', () => {
  const x = tensor('x', 'float32', [null, 3]);
  expect(index(x, -1, { axis: 1 }).shape).toEqual([null]);
  expect(() => index(x, 3, { axis: 1 })).toThrow('index: there is no element 3 of axis 1 of `x` float32 (null, 3)');
  expect(() => index(x, constant(-4, 'int64'), { axis: 1 })).toThrow('index: there is no element -4 of axis 1 of `x`');
  expect(() => index(x, tensor('i', 'int64', [2]))).toThrow('index: `i` int64 (2,) is not a scalar; take(x, indices');
});

test('indices that do not fit are refused', () => {
  const x = tensor('x', 'float32', [null, 3]);
  const [floats, wide] = [tensor('f', 'float32', [2]), tensor('w', 'int64', [2, 4])];
  expect(() => take(x, floats)).toThrow('is indexed by `f` float32 (2,); give integers, or cast them');
  expect(() => takeAlongAxis(x, wide, { axis: 0 })).toThrow('`w` int64 (2, 4) does not index axis 0 of `x`');
  expect(() => putAlongAxis(x, tensor('at', 'int64', [2, 2]), tensor('v', 'float32', [2, 3]))).toThrow(
    'putAlongAxis: the values `v` float32 (2, 3) have not the shape of their indices `at` int64 (2, 2)',
  );
  expect(() => scatterAdd(x, tensor('at', 'int64', [2]), tensor('v', 'float32', [3, 3]))).toThrow(
    'scatterAdd: `v` float32 (3, 3) cannot be put at `at` int64 (2,) of axis 0 of `x` float32 (null, 3)',
  );
  expect(() => advancedIndex(x)).toThrow('advancedIndex: `x` float32 (null, 3) has 2 axes but there are 0 indices');
});

test('what is taken keeps what is known of its sizes', () => {
  expect(take(tensor('x', 'float32', [5, 3]), tensor('at', 'int64', [null, 2]), { axis: 0 }).shape).toEqual([
    null,
    2,
    3,
  ]);
});
