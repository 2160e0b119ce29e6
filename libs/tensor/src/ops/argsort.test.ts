import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  argsort,
  compile,
  cumprod,
  cumsum,
  eye,
  grad,
  mul,
  sort,
  square,
  sum,
  tensor,
  topK,
  type Variable,
} from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread } from '../../test/op-laws.js';

const engines = ['reference', 'onnxruntime'] as const;
const dtypes = ['float32', 'float64', 'int8', 'int32', 'int64', 'uint8', 'uint32', 'bool'] as const;

test.each(dtypes)('1.T-66 equal elements keep their order, and both engines agree: %s', async (dtype) => {
  const x = tensor('x', dtype, [null, null]);
  const outputs = [
    argsort(x),
    argsort(x, { descending: true }),
    argsort(x, { axis: 0 }),
    sort(x, { axis: 0, descending: true }),
  ];
  const [reference, onnxruntime] = await Promise.all(
    engines.map((engine) => compile({ inputs: [x], outputs, engine })),
  );
  const few = dtype.startsWith('float')
    ? fc.constantFrom(1, 2, -1, 0, -0, Number.NaN, Infinity, -Infinity)
    : fc.integer({ min: 0, max: 2 });
  const values = fc
    .tuple(fc.nat(5), fc.nat(40))
    .chain(([rows, columns]) =>
      fc
        .array(few, { minLength: rows * columns, maxLength: rows * columns })
        .map((elements) => array(dtype, [rows, columns], elements)),
    );
  await fc.assert(
    fc.asyncProperty(values, async (value) => {
      const expected = await present(reference).run([value]);
      for (const [position, result] of (await present(onnxruntime).run([value])).entries()) {
        expectClose(result, present(expected[position]));
      }
    }),
    { numRuns: 40 },
  );
  await reference?.dispose();
  await onnxruntime?.dispose();
});

test.each(engines)('NaN counts as larger than all else, either way: %s', async (engine) => {
  const x = array('float32', [6], [2, Number.NaN, Infinity, 2, -Infinity, Number.NaN]);
  const upwards = await evaluate(engine, (v) => argsort(present(v)), [x]);
  expectClose(upwards, array('int64', [6], [4, 0, 3, 2, 1, 5]));
  const downwards = await evaluate(engine, (v) => argsort(present(v), { descending: true }), [x]);
  expectClose(downwards, array('int64', [6], [1, 5, 2, 0, 3, 4]));
});

const differentiable: readonly { readonly name: string; readonly build: (x: Variable) => Variable }[] = [
  { name: 'sort', build: (x) => sort(x, { axis: 0 }) },
  { name: 'topK', build: (x) => topK(x, 2)[0] },
  { name: 'topK of the smallest', build: (x) => topK(x, 3, { axis: 0, largest: false })[0] },
  { name: 'cumsum', build: (x) => cumsum(x, { axis: 1 }) },
  { name: 'cumprod', build: (x) => cumprod(x, { axis: 1 }) },
  { name: 'cumprod with zeros', build: (x) => cumprod(mul(x, eye(3, { columns: 4, dtype: 'float64' })), { axis: 0 }) },
  { name: 'cumsum of the flattened', build: (x) => cumsum(x) },
];

test.each(differentiable)('the gradients of $name and of their own are right on both engines', async ({ build }) => {
  const weighted = (x?: Variable): Variable => mul(cumsum(build(present(x)), { axis: 0 }), square(build(present(x))));
  const slope = (x?: Variable): Variable => present(grad(sum(weighted(x)), [present(x)])[0]);
  await expectGradientsRight(weighted, [spread([3, 4], -2, 2)]);
  await expectEnginesAgree(slope, [spread([3, 4], -2, 2)], { gradients: true });
});

test.each(engines)('integers and bools are summed as int64: %s', async (engine) => {
  const flags = array('bool', [4], [1, 0, 1, 1]);
  expectClose(await evaluate(engine, (x) => cumsum(present(x)), [flags]), array('int64', [4], [1, 1, 2, 3]));
  const bytes = array('uint8', [2, 2], [200, 100, 100, 200]);
  const sums = await evaluate(engine, (x) => cumsum(present(x), { axis: 0 }), [bytes]);
  expectClose(sums, array('int64', [2, 2], [200, 100, 300, 300]));
});

test.each([
  [0, 3],
  [3, 0],
  [0, 0],
  [1, 1],
])('products of %i by %i agree on both engines, gradients too', async (rows, columns) => {
  const value = array(
    'float32',
    [rows, columns],
    Array.from({ length: rows * columns }, () => 2),
  );
  for (const axis of [0, 1]) {
    await expectEnginesAgree((x) => square(cumprod(present(x), { axis })), [value], { gradients: true });
  }
});

test.each(engines)('fewer elements than are wanted are an error: %s', async (engine) => {
  expect(() => topK(tensor('x', 'float32', [3]), 4)).toThrow('topK: axis 0 of `x` float32 (3,) has no 4 elements');
  const x = tensor('x', 'float32', [null]);
  const [values, indices] = topK(x, 4);
  expect(values.shape).toEqual([4]);
  const f = await compile({ inputs: [x], outputs: [values, indices], engine });
  await expect(f.run([array('float32', [3], [1, 2, 3])])).rejects.toThrow(/out of (range|bounds|data bounds)/i);
  const [top] = await f.run([array('float32', [5], [1, 5, 3, 2, 4])]);
  expectClose(present(top), array('float32', [4], [5, 4, 3, 2]));
  await f.dispose();
});
