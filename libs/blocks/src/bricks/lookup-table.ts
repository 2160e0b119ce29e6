import { take, type SharedVariable, type Variable } from '@longrun/tensor';

import type { RandomSource } from '../initialization/random-source.js';
import { WEIGHT } from '../roles.js';
import { application } from './application.js';
import type { Dimension } from './brick.js';
import { Initializable, type InitializableOptions } from './initializable.js';
import { lazy, type Lazy } from './lazy.js';

/** Options of {@link LookupTable}. */
export interface LookupTableOptions extends InitializableOptions {
  /** How many rows there are: the size of the vocabulary. May be set later. */
  readonly length?: number | undefined;
  /** Size of a row. May be set later. */
  readonly dim?: number | undefined;
}

/**
 * The rows of a matrix at integer indices, which may have any number of axes: an embedding. An index that there is no row of is an error
 * when the graph runs.
 *
 * Parameters: `W` (length, dim) WEIGHT.
 */
export class LookupTable extends Initializable {
  readonly length: Lazy<number>;
  readonly dim: Lazy<number>;

  constructor(options: LookupTableOptions = {}) {
    super(options);
    this.length = lazy(options.length, 'length');
    this.dim = lazy(options.dim, 'dim');
  }

  /** The rows. Throws before `allocate()`. */
  get W(): SharedVariable {
    return this.parameterNamed('W');
  }

  /** `(..., dim)` of indices `(...)`. */
  @application({ inputs: ['indices'], outputs: ['output'] })
  apply(indices: Variable): Variable {
    return take(this.W, indices, { axis: 0 });
  }

  protected override allocateParameters(): void {
    this.parameter('W', [this.length.value, this.dim.value], WEIGHT);
  }

  protected override initializeParameters(random: RandomSource): void {
    this.required(this.weightsInit, 'weightsInit').initialize(this.W, this.randomFor(this.W, random));
  }

  protected override dimensionOf(name: string): Dimension | undefined {
    if (name === 'indices') return 0;
    return name === 'output' && this.dim.isSet ? this.dim.value : super.dimensionOf(name);
  }
}
