import { zeros, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick } from '../brick.js';
import { Initializable } from '../initializable.js';
import type { NamedVariables } from '../tagging.js';

/** A brick with a recurrent application `apply` (Blocks: `BaseRecurrent`). */
export abstract class BaseRecurrent extends Initializable {
  /** The states before the first step, each `(batch, dim)`: zeros. For overriding, with {@link statesOf} as outputs. */
  @application({ inputs: ['batch_size'], outputs: statesOf })
  initialStates(batchSize: number | Variable): NamedVariables {
    return Object.fromEntries(
      statesOf(this).map((state) => {
        const sizes = [this.getDim(state)].flat().filter((size) => size !== 0);
        return [state, zeros([batchSize, ...sizes])];
      }),
    );
  }
}

/** The names of the states of a recurrent brick. */
export function statesOf(brick: Brick): readonly string[] {
  return brick.application('apply').states;
}
