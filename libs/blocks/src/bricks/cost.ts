import type { Variable } from '@longrun/tensor';

import { Brick } from './brick.js';

/** A brick that compares predictions with targets and gives a scalar (Blocks: `Cost`). */
export abstract class Cost extends Brick {
  /**
   * @param y targets
   * @param yHat predictions
   */
  abstract apply(y: Variable, yHat: Variable): Variable;
}
