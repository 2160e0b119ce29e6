import { expect, test } from 'vitest';

import {
  add,
  batchedDot,
  grad,
  matmul,
  outer,
  square,
  sum,
  tensor,
  tensordot,
  toposort,
  type Variable,
} from '../index.js';
import { expectEnginesAgree } from '../../test/agreement.js';
import { array, evaluate, expectClose, expectGradientsRight, present, spread, type Build } from '../../test/op-laws.js';

const products: readonly { readonly name: string; readonly build: Build; readonly shapes: readonly number[][] }[] = [
  {
    name: 'matmul of broadcast batches',
    build: pair(matmul),
    shapes: [
      [2, 1, 3, 2],
      [3, 2, 2],
    ],
  },
  {
    name: 'matmul of matrices and narrow ones',
    build: pair(matmul),
    shapes: [
      [2, 5, 5],
      [2, 5, 2],
    ],
  },
  { name: 'matmul of a vector and matrices', build: pair(matmul), shapes: [[3], [2, 3, 2]] },
  {
    name: '1.T-22 batchedDot',
    build: pair(batchedDot),
    shapes: [
      [2, 3, 2],
      [2, 2, 2],
    ],
  },
  {
    name: '1.T-22 batchedDot of vectors',
    build: pair(batchedDot),
    shapes: [
      [2, 3],
      [2, 3],
    ],
  },
  {
    name: '1.T-22 batchedDot of a vector and a matrix',
    build: pair(batchedDot),
    shapes: [
      [2, 3],
      [2, 3, 2],
    ],
  },
  {
    name: '1.T-22 batchedDot of four axes',
    build: pair(batchedDot),
    shapes: [
      [2, 2, 3, 2],
      [2, 2, 2],
    ],
  },
  {
    name: '1.T-90 tensordot',
    build: pair((a, b) =>
      tensordot(a, b, [
        [-1, 0],
        [1, 2],
      ]),
    ),
    shapes: [
      [2, 2, 3],
      [2, 3, 2],
    ],
  },
  { name: 'outer', build: pair(outer), shapes: [[3], [2]] },
];

test.each(products)('the gradients of $name and of their own are right on both engines', async ({ build, shapes }) => {
  const values = shapes.map((shape, position) => spread(shape, -2, 2, position));
  await expectGradientsRight(build, values);
  await expectEnginesAgree((...inputs) => slopes(build, inputs), values, { gradients: true });
});

test('for a gradient the smaller of two arrays is transposed', () => {
  const shuffledFor = (columns: number): readonly unknown[] => {
    const [a, b] = [tensor('a', 'float32', [2, 5, 5]), tensor('b', 'float32', [2, 5, columns])];
    const [gradient] = grad(sum(matmul(a, b)), [b]);
    const nodes = toposort([present(gradient)]).filter(({ op }) => op.name === 'dimshuffle');
    return nodes.map(({ output }) => output.shape).filter((shape) => shape.length === 3 && !shape.includes(1));
  };
  expect(shuffledFor(2)).toEqual([
    [2, 2, 5],
    [2, 5, 2],
  ]);
  expect(shuffledFor(3)).toEqual([[2, 5, 5]]);
});

test('batchedDot multiplies each of the batch by dot', async () => {
  const a = array('float64', [2, 1, 2], [1, 2, 3, 4]);
  const b = array('float64', [2, 2], [5, 6, 7, 8]);
  expectClose(await evaluate('reference', pair(batchedDot), [a, b]), array('float64', [2, 1], [17, 53]));
});

test('operands that do not fit are refused', () => {
  const [a, b] = [tensor('a', 'float32', [2, 3, 4]), tensor('b', 'float32', [2, 3, 4])];
  expect(() => matmul(a, b)).toThrow(
    'matmul: `a` float32 (2, 3, 4) and `b` float32 (2, 3, 4) cannot be multiplied; the last axis of the first',
  );
  expect(() => matmul(tensor('n', 'int64', [2, 2]), tensor('m', 'int64', [2, 2, 2]))).toThrow('are not floats');
  expect(() => batchedDot(a, tensor('c', 'float32', [3, 4, 1]))).toThrow('have batches of 2 and 3; these');
  expect(() => batchedDot(tensor('v', 'float32', [3]), b)).toThrow('batchedDot: `v` float32 (3,) and `b`');
  expect(() => tensordot(a, b, [[0], [1]])).toThrow('tensordot: axes [0] of `a` float32 (2, 3, 4) and [1] of `b`');
  expect(() => tensordot(a, b, 4)).toThrow('have no 4 axes in common; give 0 to 3');
  expect(() => outer(a, b)).toThrow('must be vectors');
});

function pair(op: (a: Variable, b: Variable) => Variable): Build {
  return (a, b) => op(present(a), present(b));
}

/** The squares of all gradients together, which makes those of second order of them. */
function slopes(build: Build, inputs: readonly Variable[]): Variable {
  const [first, ...rest] = grad(sum(square(build(...inputs))), inputs).map((gradient) => sum(square(gradient)));
  return rest.reduce((total, one) => add(total, one), present(first));
}
