import { expect, test } from 'vitest';

import {
  add,
  compile,
  concatenate,
  diag,
  eye,
  flip,
  grad,
  mul,
  pad,
  repeat,
  roll,
  scalar,
  split,
  square,
  stack,
  sum,
  take,
  tensor,
  tile,
  tril,
  triu,
  type Variable,
} from '../src/index.js';
import { expectEnginesAgree } from './agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread } from './op-laws.js';

const engines = ['reference', 'onnxruntime'] as const;

const ops: readonly { readonly name: string; readonly build: (x: Variable) => Variable; readonly shape?: number[] }[] =
  [
    { name: '1.T-59 stack', build: (x) => stack([x, square(x)], -1) },
    { name: 'split', build: (x) => concatenate(split(x, [1, 0, 3], 1).toReversed(), 1) },
    { name: '1.T-53 repeat', build: (x) => repeat(x, 2, { axis: 1 }) },
    { name: '1.T-53 repeat of the flattened', build: (x) => repeat(x, 3) },
    { name: '1.T-53 tile', build: (x) => tile(x, [2, 1, 3]) },
    { name: 'tile of the last axis', build: (x) => tile(x, [2]) },
    { name: '1.T-54 roll', build: (x) => roll(x, -5, { axis: 0 }) },
    { name: '1.T-54 roll of the flattened', build: (x) => roll(x, 5) },
    { name: 'flip', build: (x) => flip(x) },
    {
      name: 'pad',
      build: (x) =>
        pad(
          x,
          [
            [1, 0],
            [2, 1],
          ],
          { value: 3 },
        ),
    },
    { name: 'pad by the edge', build: (x) => pad(x, 2, { mode: 'edge' }) },
    {
      name: 'pad by reflection, more than there is',
      build: (x) =>
        pad(
          x,
          [
            [5, 4],
            [0, 3],
          ],
          { mode: 'reflect' },
        ),
    },
    { name: 'tril', build: (x) => tril(x, 1) },
    { name: 'triu', build: (x) => triu(stack([x, x]), -1) },
    { name: 'diag of a matrix', build: (x) => diag(x, 1) },
    { name: 'diag of a tall matrix', build: (x) => diag(x, -1), shape: [4, 2] },
    { name: 'diag of a vector', build: (x) => diag(x, -2), shape: [3] },
    { name: 'take with indices that go round', build: (x) => take(x, places(), { axis: 1, mode: 'wrap' }) },
  ];

function places(): Variable {
  return add(mul(eye(3, { dtype: 'int64' }), 7), -5);
}

test.each(ops)(
  'the gradients of $name and of their own are right on both engines',
  async ({ build, shape = [3, 4] }) => {
    const cubic = (x?: Variable): Variable => mul(square(build(present(x))), build(present(x)));
    const slope = (x?: Variable): Variable => present(grad(sum(cubic(x)), [present(x)])[0]);
    await expectGradientsRight(cubic, [spread(shape, -2, 2)]);
    await expectEnginesAgree(slope, [spread(shape, -2, 2)], { gradients: true });
  },
);

test.each(engines)('counts and shifts may be computed: %s', async (engine) => {
  const [x, count] = [tensor('x', 'int64', [null]), scalar('count', 'int64')];
  const outputs = [repeat(x, count), tile(x, [count]), roll(x, count, { axis: 0 }), eye(count, { dtype: 'int64' })];
  const f = await compile({ inputs: [x, count], outputs, engine });
  const run = (value: number): Promise<unknown> => f.run([array('int64', [3], [1, 2, 3]), array('int64', [], [value])]);
  expect(await run(2)).toEqual([
    array('int64', [6], [1, 1, 2, 2, 3, 3]),
    array('int64', [6], [1, 2, 3, 1, 2, 3]),
    array('int64', [3], [2, 3, 1]),
    array('int64', [2, 2], [1, 0, 0, 1]),
  ]);
  expect(await run(0)).toEqual([
    array('int64', [0], []),
    array('int64', [0], []),
    array('int64', [3], [1, 2, 3]),
    array('int64', [0, 0], []),
  ]);
  await f.dispose();
});

test('indices are clipped and go round as in NumPy, of which -1 clipped is the first', async () => {
  const values = [array('float32', [3], [10, 20, 30]), array('int64', [4], [-1, 3, -4, 7])];
  for (const [mode, expected] of [
    ['clip', [10, 30, 10, 30]],
    ['wrap', [30, 10, 30, 20]],
  ] as const) {
    const got = await evaluate('onnxruntime', (x, at) => take(present(x), present(at), { axis: 0, mode }), values);
    expectClose(got, array('float32', [4], expected));
  }
});

test.each(engines)('parts that do not add up to an axis are an error when it is known: %s', async (engine) => {
  const x = tensor('x', 'float32', [null]);
  expect(() => split(tensor('v', 'float32', [5]), [2, 2])).toThrow(
    'split: `v` float32 (5,) cannot be cut into [2, 2] along axis 0; give sizes of 0 or more that add up',
  );
  const f = await compile({ inputs: [x], outputs: split(x, [2, 3]), engine });
  for (const size of [4, 6]) {
    const values = [
      array(
        'float32',
        [size],
        Array.from({ length: size }, () => 1),
      ),
    ];
    await expect(f.run(values)).rejects.toThrow(/reshape/);
  }
  await f.dispose();
});

test('what cannot be done is refused when the graph is built', () => {
  const x = tensor('x', 'float32', [2, 3]);
  expect(() => stack([x, tensor('y', 'float32', [3])])).toThrow('stack: `x` float32 (2, 3), `y` float32 (3,) differ');
  expect(() => stack([])).toThrow('stack: no variables were given');
  expect(() => repeat(x, -1)).toThrow('cannot be repeated -1 times; give an integer of 0 or more');
  expect(() => roll(x, 0.5)).toThrow('roll: argument 2, shift, is 0.5; give an integer');
  expect(() => roll(x, tensor('by', 'float32', []), { axis: 0 })).toThrow(
    'roll: argument 2, shift, is `by` float32 (); give an',
  );
  expect(() => roll(x, tensor('by', 'int64', [2]), { axis: 0 })).toThrow(
    'roll: argument 2, shift, is `by` int64 (2,); give an',
  );
  expect(() => pad(x, [[1, 1]])).toThrow('pad: `x` float32 (2, 3) cannot be padded by [[1, 1]]; give a pair');
  expect(() => pad(tensor('e', 'float32', [0]), 1, { mode: 'edge' })).toThrow('is empty; there is nothing at');
  expect(() => tril(tensor('v', 'float32', [3]))).toThrow('tril: `v` float32 (3,) has no rows and columns');
  expect(() => diag(stack([x, x]))).toThrow('has 3 axes; give a vector or a matrix');
});

test('sizes that are known stay known', () => {
  const x = tensor('x', 'float32', [null, 4]);
  expect(stack([x, x], 1).shape).toEqual([null, 2, 4]);
  expect(split(x, [1, 3], 1).map(({ shape }) => shape)).toEqual([
    [null, 1],
    [null, 3],
  ]);
  expect(split(x, [1, 3]).map(({ shape }) => shape)).toEqual([
    [1, 4],
    [3, 4],
  ]);
  expect(repeat(x, 2, { axis: 1 }).shape).toEqual([null, 8]);
  expect(tile(x, [1, 3]).shape).toEqual([null, 12]);
  expect(roll(x, 1, { axis: 1 }).shape).toEqual([null, 4]);
  expect(flip(x).shape).toEqual([null, 4]);
  expect(
    pad(x, [
      [0, 0],
      [1, 2],
    ]).shape,
  ).toEqual([null, 7]);
  expect(
    pad(
      x,
      [
        [0, 0],
        [1, 2],
      ],
      { mode: 'reflect' },
    ).shape,
  ).toEqual([null, 7]);
  expect(eye(2, { columns: 3 }).shape).toEqual([2, 3]);
  expect(triu(x).shape).toEqual([null, 4]);
  expect(diag(tensor('v', 'float32', [3]), 1).shape).toEqual([4, 4]);
});
