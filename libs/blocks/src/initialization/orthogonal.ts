import { ndarray, RandomState, type NdArray } from '@longrun/serialization';

import { Initialization } from './initialization.js';
import type { RandomNumbers } from './random-source.js';

/**
 * A random matrix with orthonormal rows or columns (whichever are fewer), times `scale` (Saxe et al., 2013). Drawn evenly from
 * all such matrices, as the Q of a normal matrix with the signs of R put right. For a matrix that is not square, the original multiplies
 * two such Q, and so it is by NumPy's generator; of a stream it is one of the full shape, which has the same distribution.
 *
 * By NumPy's generator the numbers are those of the original but for some 1e-14, by which LAPACK's way to Q rounds otherwise.
 */
export class Orthogonal extends Initialization {
  readonly scale: number;

  /** @param scale default 1 */
  constructor(scale = 1) {
    super();
    this.scale = scale;
  }

  /** @throws Error unless `shape` has two axes */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows === undefined || columns === undefined) {
      throw new Error(`Orthogonal: the shape is (${shape.join(', ')}); only matrices can be initialized so`);
    }
    const elementAt =
      random instanceof RandomState ? asTheOriginal(random, rows, columns) : ofFullShape(random, rows, columns);
    const matrix = ndarray('float64', shape);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        matrix.data[row * columns + column] = this.scale * elementAt(row, column);
      }
    }
    return matrix;
  }
}

type ElementAt = (row: number, column: number) => number;

function ofFullShape(random: Exclude<RandomNumbers, RandomState>, rows: number, columns: number): ElementAt {
  const [count, size] = [Math.min(rows, columns), Math.max(rows, columns)];
  const drawn = Array.from({ length: count }, () => Float64Array.from({ length: size }, () => random.normal()));
  const basis = orthonormal(drawn);
  return columns > rows ? (row, column) => basis[row]?.[column] ?? 0 : (row, column) => basis[column]?.[row] ?? 0;
}

/** Q of a normal matrix; of one that is not square, the product of as many columns and rows of two as the shorter side has. */
function asTheOriginal(random: RandomState, rows: number, columns: number): ElementAt {
  const first = columnsOfQ(random, rows);
  if (rows === columns) return (row, column) => first[column]?.[row] ?? 0;
  const second = columnsOfQ(random, columns);
  const between = Math.min(rows, columns);
  return (row, column) => {
    let sum = 0;
    for (let along = 0; along < between; along += 1) sum += (first[along]?.[row] ?? 0) * (second[column]?.[along] ?? 0);
    return sum;
  };
}

function columnsOfQ(random: RandomState, size: number): Float64Array[] {
  const drawn = random.randn(size * size);
  const columns = Array.from({ length: size }, (_, column) =>
    Float64Array.from({ length: size }, (_unused, row) => drawn[row * size + column] ?? 0),
  );
  return orthonormal(columns);
}

/**
 * Vectors made orthonormal, one after the other. Gram and Schmidt's way gives R a positive diagonal, which is the sign
 * that makes the distribution even; done twice, it is as exact as Householder's.
 */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    for (let pass = 0; pass < 2; pass += 1) {
      for (const earlier of basis) subtract(vector, earlier, inner(vector, earlier));
    }
    const norm = Math.sqrt(inner(vector, vector));
    basis.push(vector.map((element) => element / norm));
  }
  return basis;
}

function inner(first: Float64Array, second: Float64Array): number {
  return first.reduce((total, element, at) => total + element * (second[at] ?? 0), 0);
}

function subtract(vector: Float64Array, direction: Float64Array, amount: number): void {
  for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] ?? 0) - amount * (direction[at] ?? 0);
}
