import { ndarray, type NdArray } from '@longrun/serialization';

import { Initialization } from '../../initialization/initialization.js';
import type { RandomNumbers } from '../../initialization/random-source.js';

/** Initializes a matrix in blocks of as many columns each, side by side: each can be orthogonal, which the whole could not be. */
export class ColumnBlocks extends Initialization {
  readonly scheme: Initialization;
  readonly blocks: number;

  /** @param blocks how many, of which the number of columns is a multiple */
  constructor(scheme: Initialization, blocks: number) {
    super();
    this.scheme = scheme;
    this.blocks = blocks;
  }

  override generate(random: RandomNumbers, shape: readonly number[]): NdArray<'float64'> {
    const [rows = 0, columns = 0] = shape;
    const width = columns / this.blocks;
    const matrix = ndarray('float64', shape);
    for (let block = 0; block < this.blocks; block += 1) {
      const { data } = this.scheme.generate(random, [rows, width]);
      for (let row = 0; row < rows; row += 1) {
        matrix.data.set(data.subarray(row * width, (row + 1) * width), row * columns + block * width);
      }
    }
    return matrix;
  }
}
