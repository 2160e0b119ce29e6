import type { Variable } from '@longrun/tensor';

import type { Brick } from './brick.js';
import type { Lazy } from './lazy.js';

/** The contract of bricks with one input and one output (Blocks: `Feedforward`). */
export interface Feedforward extends Brick {
  /** Size of the last axis of the input. */
  readonly inputDim: Lazy<number>;
  /** Size of the last axis of the output. */
  readonly outputDim: Lazy<number>;
  apply(input: Variable): Variable;
}

/** True for bricks that keep to the contract. */
export function isFeedforward(brick: Brick): brick is Feedforward {
  return 'inputDim' in brick && 'outputDim' in brick && 'apply' in brick;
}
