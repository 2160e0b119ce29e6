import { ndarray, RandomStreams } from '@longrun/serialization';
import { shared } from '@longrun/tensor';
import { describe, expect, test } from 'vitest';

import { float32, int64 } from '../../test/tiny-experiment.js';
import { Constant } from './constant.js';
import { HeNormal } from './he.js';
import { IdentityMatrix } from './identity-matrix.js';
import type { Initialization } from './initialization.js';
import { IsotropicGaussian } from './isotropic-gaussian.js';
import { Orthogonal } from './orthogonal.js';
import { PermutationMatrix } from './permutation-matrix.js';
import { Sparse, SparseND } from './sparse.js';
import { Uniform } from './uniform.js';
import { checkValidPermutation } from './valid-permutation.js';

function generated(scheme: Initialization, shape: readonly number[], seed = 1): number[] {
  return [...scheme.generate(new RandomStreams(seed).stream('weights'), shape).data];
}

function moments(values: readonly number[]): { mean: number; std: number } {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}

test('a constant is everywhere', () => {
  expect(generated(new Constant(2.5), [2, 2])).toEqual([2.5, 2.5, 2.5, 2.5]);
  expect(generated(new Constant(1), [])).toEqual([1]);
});

test('a constant array is the same along the axes that it has not', () => {
  expect(generated(new Constant([1, 2]), [3, 2])).toEqual([1, 2, 1, 2, 1, 2]);
  expect(generated(new Constant(float32([2, 1], [1, 2])), [2, 2])).toEqual([1, 1, 2, 2]);
  expect(generated(new Constant(int64([3, 4])), [2])).toEqual([3, 4]);
  expect(() => generated(new Constant([1, 2, 3]), [3, 2])).toThrow(
    'Constant: a constant of shape (3,) does not broadcast to (3, 2); its sizes must be equal or 1',
  );
  expect(() => generated(new Constant([1, 2]), [])).toThrow('does not broadcast to ()');
});

describe('random schemes', () => {
  test('He initialization is a Gaussian as wide as the number of inputs asks for', () => {
    for (const inputs of [3, 5, 6, 8]) {
      const expected = generated(new IsotropicGaussian(Math.sqrt(2 / inputs)), [inputs, 3]);
      expect(generated(new HeNormal(), [inputs, 3])).toEqual(expected);
    }
    expect(() => generated(new HeNormal(), [8])).toThrow('HeNormal: the shape is (8); only matrices and filters');
  });

  // Bounds are about five standard errors wide.
  test('a Gaussian has its mean and standard deviation', () => {
    const { mean, std } = moments(generated(new IsotropicGaussian(0.5, 3), [200, 100]));
    expect(Math.abs(mean - 3)).toBeLessThan(0.02);
    expect(Math.abs(std - 0.5)).toBeLessThan(0.015);
    expect(moments(generated(new IsotropicGaussian(), [200, 100])).std).toBeCloseTo(1, 1);
    expect(() => new IsotropicGaussian(-1)).toThrow('IsotropicGaussian: std is -1; give a number of at least 0');
  });

  test('a uniform distribution stays in its interval and fills it', () => {
    const values = generated(new Uniform({ mean: 1, width: 4 }), [200, 100]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThanOrEqual(3);
    expect(Math.abs(moments(values).mean - 1)).toBeLessThan(0.05);
    expect(moments(values).std).toBeCloseTo(4 / Math.sqrt(12), 1);
    expect(moments(generated(new Uniform({ std: 2 }), [200, 100])).std).toBeCloseTo(2, 1);
  });

  test('a uniform distribution has a width or a standard deviation, not both', () => {
    expect(() => new Uniform({})).toThrow('Uniform: width is undefined and std is undefined; give exactly one of them');
    expect(() => new Uniform({ width: 1, std: 1 })).toThrow('give exactly one of them');
  });

  test.each([
    ['square', 6, 6],
    ['tall', 8, 3],
    ['wide', 3, 8],
  ])('an orthogonal matrix that is %s has orthonormal rows or columns', (_, rows, columns) => {
    const values = generated(new Orthogonal(2), [rows, columns]);
    const at = (row: number, column: number): number => values[row * columns + column] ?? Number.NaN;
    const small = Math.min(rows, columns);
    const large = Math.max(rows, columns);
    for (let first = 0; first < small; first += 1) {
      for (let second = 0; second < small; second += 1) {
        let product = 0;
        for (let along = 0; along < large; along += 1) {
          product += rows >= columns ? at(along, first) * at(along, second) : at(first, along) * at(second, along);
        }
        expect(product).toBeCloseTo(first === second ? 4 : 0, 5);
      }
    }
  });

  test('orthogonal matrices are drawn evenly: no element prefers a sign', () => {
    const firsts = Array.from({ length: 300 }, (_, seed) => generated(new Orthogonal(), [2, 2], seed)[0] ?? 0);
    expect(Math.abs(moments(firsts).mean)).toBeLessThan(0.2);
  });

  test.each([new IsotropicGaussian(), new Uniform({ width: 1 }), new Orthogonal()])(
    '%s draws the same from the same stream and other values from another',
    (scheme) => {
      expect(generated(scheme, [3, 3], 1)).toEqual(generated(scheme, [3, 3], 1));
      expect(generated(scheme, [3, 3], 1)).not.toEqual(generated(scheme, [3, 3], 2));
    },
  );
});

test('an identity matrix has its number on the diagonal', () => {
  expect(generated(new IdentityMatrix(3), [2, 3])).toEqual([3, 0, 0, 0, 3, 0]);
  expect(() => generated(new IdentityMatrix(), [2])).toThrow(
    'IdentityMatrix: the shape is (2); only matrices can be initialized so',
  );
  expect(() => generated(new Orthogonal(), [2, 2, 2])).toThrow('Orthogonal: the shape is (2, 2, 2)');
});

test('a variable takes a value of its shape, rounded to its dtype', async () => {
  const streams = new RandomStreams(1);
  const variable = shared(float32([2], [0, 0]), 'b');
  new Constant(7).initialize(variable, streams.stream('b'));

  expect([...(await variable.getValue()).data]).toEqual([7, 7]);
  expect(() => new Constant(7).initialize(shared(0, 'd', { dtype: 'int64' }), streams.stream('d'))).toThrow(
    'Constant cannot initialize d, which is int64 (); only floats of known shape can be',
  );
  const unknown = shared(float32([2], [0, 0]), 'e', { shape: ['examples'] });
  expect(() => new Constant(7).initialize(unknown, streams.stream('e'))).toThrow(
    'Constant cannot initialize e, which is float32 (examples,); only floats of known shape can be',
  );
});

test('a parameter of float64 has the digits that one of float32 loses', async () => {
  const values = (['float32', 'float64'] as const).map(async (dtype) => {
    const variable = shared(ndarray(dtype, [4]), dtype);
    new IsotropicGaussian().initialize(variable, new RandomStreams(1).stream('W'));
    return Array.from((await variable.getValue()).data, Number);
  });
  const [narrow, wide] = await Promise.all(values);
  expect(wide).not.toEqual(narrow);
  expect(wide?.map(Math.fround)).toEqual(narrow);
});

describe('sparse initialization', () => {
  const one = new Constant(1);
  const countsBy = (values: readonly number[], size: number): number[] =>
    Array.from({ length: values.length / size }, (_, part) =>
      values.slice(part * size, (part + 1) * size).reduce((total, value) => total + value, 0),
    );

  test('has values for so many elements of each row, or such a share (1.10-09)', () => {
    expect(countsBy(generated(new Sparse({ numInit: 3, weightsInit: one }), [50, 7]), 7)).toEqual(Array(50).fill(3));
    expect(countsBy(generated(new Sparse({ numInit: 0.25, weightsInit: one }), [4, 10]), 10)).toEqual([2, 2, 2, 2]);
    const others = generated(new Sparse({ numInit: 1, weightsInit: one, sparseInit: new Constant(-1) }), [2, 3]);
    expect(others.toSorted((a, b) => a - b)).toEqual([-1, -1, -1, -1, 1, 1]);
  });

  test('draws other places for each row, evenly, and the same for the same seed', () => {
    const scheme = new Sparse({ numInit: 2, weightsInit: new IsotropicGaussian() });
    const values = generated(scheme, [3000, 5]);
    const columns = [0, 1, 2, 3, 4].map(
      (column) => values.filter((value, at) => at % 5 === column && value !== 0).length,
    );
    for (const count of columns) expect(Math.abs(count - 1200)).toBeLessThan(100);
    expect(generated(scheme, [3000, 5])).toEqual(values);
    expect(generated(scheme, [3000, 5], 2)).not.toEqual(values);
  });

  test('takes several axes for what tells parts apart (1.10-10)', () => {
    const filters = generated(new SparseND({ axis: [0, 1], numInit: 4, weightsInit: one }), [2, 3, 3, 3]);
    expect(countsBy(filters, 9)).toEqual(Array(6).fill(4));
    const last = generated(new SparseND({ axis: [1], numInit: 1, weightsInit: one }), [3, 2]);
    expect([0, 1].map((column) => last.filter((_, at) => at % 2 === column).reduce((a, b) => a + b, 0))).toEqual([
      1, 1,
    ]);
  });

  test('refuses what cannot be', () => {
    expect(() => new Sparse({ numInit: 1.5, weightsInit: one })).toThrow('Sparse: numInit is 1.5; give a whole number');
    expect(() => generated(new Sparse({ numInit: 4, weightsInit: one }), [2, 3])).toThrow('a part has 3 elements');
    expect(() => generated(new SparseND({ axis: [2], numInit: 1, weightsInit: one }), [2, 3])).toThrow(
      'which has no axes 2',
    );
  });
});

test('a permutation matrix puts rows in the order that is given, or in a random one (1.19-36, 1.19-40)', () => {
  expect(generated(new PermutationMatrix([2, 0, 1]), [3, 3])).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0]);
  const random = generated(new PermutationMatrix(), [20, 20]);
  const rows = Array.from({ length: 20 }, (_, row) => random.slice(row * 20, row * 20 + 20).indexOf(1));
  expect(() => checkValidPermutation(rows)).not.toThrow();
  expect(random.reduce((total, value) => total + value, 0)).toBe(20);
  expect(rows).not.toEqual(rows.toSorted((a, b) => a - b));
  expect(() => new PermutationMatrix([0, 2])).toThrow(
    'PermutationMatrix: order is [0, 2]; give every number from 0 to its length, once each',
  );
  expect(() => generated(new PermutationMatrix([0, 1]), [3, 3])).toThrow(
    'the permutation is of 2 but the matrix has 3 rows',
  );
});
