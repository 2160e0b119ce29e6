import { ndarray, type NdArray, type RandomStream } from '@longrun/serialization';

import { Initialization } from './initialization.js';

/**
 * A random matrix with orthonormal rows or columns (whichever are fewer), times `scale` (Saxe et al., 2013). Drawn evenly from
 * all such matrices, as the Q of a normal matrix with the signs of R put right. For a matrix that is not square, Blocks
 * multiplied two such Q; one of the full shape has the same distribution.
 */
export class Orthogonal extends Initialization {
  readonly scale: number;

  /** @param scale default 1 */
  constructor(scale = 1) {
    super();
    this.scale = scale;
  }

  /** @throws Error unless `shape` has two axes */
  override generate(random: RandomStream, shape: readonly number[]): NdArray<'float64'> {
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows === undefined || columns === undefined) {
      throw new Error(`Orthogonal: the shape is (${shape.join(', ')}); only matrices can be initialized so`);
    }
    const wide = columns > rows;
    const basis = orthonormalVectors(random, Math.min(rows, columns), Math.max(rows, columns));
    const matrix = ndarray('float64', shape);
    for (const [at, vector] of basis.entries()) {
      for (const [element, value] of vector.entries()) {
        matrix.data[wide ? at * columns + element : element * columns + at] = this.scale * value;
      }
    }
    return matrix;
  }
}

/**
 * `count` orthonormal vectors of `size`, evenly drawn. Gram and Schmidt's way gives R a positive diagonal, which is the sign
 * that makes the distribution even; done twice, it is as exact as Householder's.
 */
function orthonormalVectors(random: RandomStream, count: number, size: number): Float64Array[] {
  const basis: Float64Array[] = [];
  while (basis.length < count) {
    const vector = Float64Array.from({ length: size }, () => random.normal());
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
