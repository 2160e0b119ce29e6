import { expandDims, take, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { BrickOptions, Dimension } from '../brick.js';
import type { LookupTable } from '../lookup-table.js';
import { Dropout, type DropoutBrickOptions } from './dropout.js';

/** Options of {@link EmbeddingDropout}. */
export type EmbeddingDropoutOptions = Omit<DropoutBrickOptions, 'sharedAxes'>;

/**
 * The rows of a table of which in training some are 0 as a whole, the same ones wherever in the batch they are looked up, and the others are divided by the
 * probability with which they are kept (Gal and Ghahramani, 2016). In training and in evaluation as {@link Dropout}.
 */
export class EmbeddingDropout extends Dropout {
  readonly table: LookupTable;

  /** @param table becomes a child */
  constructor(table: LookupTable, options: EmbeddingDropoutOptions) {
    super(options);
    this.table = table;
    this.addChild(table);
  }

  /** `(..., dim)` of indices `(...)`. */
  @application({ inputs: ['indices'], outputs: ['output'] })
  override apply(indices: Variable): Variable {
    return this.droppedInTraining(this.table.apply(indices), indices);
  }

  protected override maskFor(value: Variable, indices: Variable, kept: number): Variable {
    return expandDims(take(this.mask(value, [this.table.length.value], kept), indices, { axis: 0 }), indices.ndim);
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (!['indices', 'output'].includes(name)) return super.dimensionOf(name);
    return this.table.hasDim(name) ? this.table.getDim(name) : undefined;
  }

  protected override constructorArguments(options: BrickOptions): readonly unknown[] {
    return [this.table, options];
  }
}
