import { ndarray, type NdArray } from '@longrun/serialization';

import { Initialization } from './initialization.js';
import type { RandomNumbers } from './random-source.js';
import { checkValidPermutation } from './valid-permutation.js';

/** A square matrix that puts what it multiplies in another order: row i has its 1 in column `permutation[i]` (blocks-extras). */
export class PermutationMatrix extends Initialization {
  readonly permutation: readonly number[] | undefined;

  /** @param permutation of 0, 1, ... up to the size. Default: a random one */
  constructor(permutation?: readonly number[]) {
    super();
    if (permutation !== undefined) checkValidPermutation(permutation, 'PermutationMatrix');
    this.permutation = permutation;
  }

  /** @throws Error unless `shape` is that of a square matrix, of the permutation's size */
  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows === undefined || rows !== columns) {
      throw new Error(
        `PermutationMatrix: the shape is (${shape.join(', ')}); only square matrices can be initialized so`,
      );
    }
    const permutation = this.permutation ?? Array.from(random.permutation(rows));
    if (permutation.length !== rows) {
      throw new Error(`PermutationMatrix: the permutation is of ${permutation.length} but the matrix has ${rows} rows`);
    }
    const matrix = ndarray('float64', shape);
    for (const [row, column] of permutation.entries()) matrix.data[row * rows + column] = 1;
    return matrix;
  }
}
