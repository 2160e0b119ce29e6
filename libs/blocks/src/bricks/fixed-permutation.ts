import { constant, dot, take, type Variable } from '@longrun/tensor';

import { checkValidPermutation } from '../initialization/valid-permutation.js';
import { application } from './application.js';
import { Brick, type BrickOptions, type Dimension } from './brick.js';

/** Options of {@link FixedPermutation}. */
export interface FixedPermutationOptions extends BrickOptions {
  /** Which element of the input comes at each place: every number from 0 on, once. */
  readonly order: readonly number[];
  /** Multiplies by a matrix, which may be faster than to take each by its place. The result is the same. Default true. */
  readonly dot?: boolean | undefined;
}

/** Puts the elements of the last axis of `(batch, dim)` in another order, always the same. */
export class FixedPermutation extends Brick {
  readonly order: readonly number[];
  readonly dot: boolean;

  /** @throws Error where `order` is no permutation */
  constructor(options: FixedPermutationOptions) {
    super(options);
    this.order = options.order;
    this.dot = options.dot ?? true;
    checkValidPermutation(this.order, this.uniquePath);
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    if (!this.dot) return take(input, constant([...this.order], 'int64'), { axis: -1 });
    const matrix = this.order.map((_, from) => this.order.map((source) => (source === from ? 1 : 0)));
    return dot(input, constant(matrix, input.dtype));
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    return name === 'input' || name === 'output' ? this.order.length : super.dimensionOf(name);
  }
}
