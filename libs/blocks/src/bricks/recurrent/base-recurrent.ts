import { zeros, type Variable } from '@longrun/tensor';

import { application } from '../application.js';
import type { Brick } from '../brick.js';
import { Initializable } from '../initializable.js';
import type { NamedVariables } from '../tagging.js';

/** A brick with a recurrent application `apply` (Blocks: `BaseRecurrent`). */
export abstract class BaseRecurrent extends Initializable {
  /**
   * The states before the first step, each `(batch, dim)`: zeros. For overriding, with {@link statesOf} as outputs.
   *
   * @param _contexts those of the application, by name
   */
  @application({ inputs: ['batch_size'], outputs: statesOf })
  initialStates(batchSize: number | Variable, _contexts: NamedVariables = {}): NamedVariables {
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

/** What a recurrent brick calls the sequence that says where a step leaves the states as they are. */
export const MASK = 'mask';

/** The sequences of a recurrent brick but for the mask: what has to be made for it. */
export function inputsOf(brick: Brick): readonly string[] {
  return brick.application('apply').sequences.filter((name) => name !== MASK);
}

/** The size of the last axis of a named variable of a brick. @throws Error where it has several, or the brick does not know it */
export function sizeOf(brick: Brick, name: string): number {
  const dimension = brick.getDim(name);
  if (typeof dimension === 'number') return dimension;
  throw new Error(
    `${brick.uniquePath}: ${name} has the sizes ${dimension.join(', ')}; give a brick for which it has one`,
  );
}
