import { flatten, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import { Brick } from '../brick.js';

/** Makes one row of each example: `(batch, channels * rows * columns)` of `(batch, channels, rows, columns)` (Blocks: `Flattener`). */
export class Flattener extends Brick {
  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    return flatten(input, 2);
  }
}
