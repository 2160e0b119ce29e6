import { add, cast, div, mean, mul, sub, type Variable } from '@longrun/tensor';

import {
  application,
  BATCH_NORM_POPULATION_MEAN,
  Brick,
  currentCall,
  PERSISTENT,
  type BrickOptions,
} from '../src/index.js';

/** Options of {@link RunningMean}. */
export interface RunningMeanOptions extends BrickOptions {
  /** Size of the last axis. */
  readonly dim: number;
}

/**
 * Subtracts from its input the mean of all batches so far, as a normalization does.
 *
 * States: `mean` (dim) float64 BATCH_NORM_POPULATION_MEAN; `seen` () int64, how many batches there were. The call updates them.
 */
export class RunningMean extends Brick {
  readonly dim: number;

  constructor(options: RunningMeanOptions) {
    super(options);
    this.dim = options.dim;
  }

  @application({ inputs: ['input'], outputs: ['output'] })
  apply(input: Variable): Variable {
    const [average, seen] = [this.stateNamed('mean'), this.stateNamed('seen')];
    const count = cast(seen, 'float64');
    const total = add(mul(average, count), cast(mean(input, { axis: 0 }), 'float64'));
    currentCall().addUpdate(average, div(total, add(count, 1)));
    currentCall().addUpdate(seen, add(seen, 1));
    return sub(input, cast(average, input.dtype));
  }

  protected override allocateParameters(): void {
    this.state('mean', [this.dim], BATCH_NORM_POPULATION_MEAN, { dtype: 'float64' });
    this.state('seen', [], PERSISTENT, { dtype: 'int64' });
  }
}
