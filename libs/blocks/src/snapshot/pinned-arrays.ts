import type { SharedVariable, StoredValue } from '@longrun/tensor';

import { EventLoopBreaks } from '../main-loop/event-loop.js';
import type { SavedVariables } from '../inventory/inventory.js';

/**
 * Handles on the values of a main loop, by name as in its `arrays()`, as they are when it is made. Later steps do not change the values, and
 * their memory is kept until they are released.
 *
 * @throws Error naming a variable that an unfinished run is updating, and that run: what is between two steps is in no snapshot
 */
export class PinnedArrays {
  readonly parameters: ReadonlyMap<string, StoredValue>;
  readonly algorithm: ReadonlyMap<string, StoredValue>;
  #isReleased = false;

  constructor(variables: SavedVariables) {
    for (const variable of [...variables.parameters.values(), ...variables.algorithm.values()])
      variable.assertQuiet('A snapshot between two steps');
    this.parameters = pinsOf(variables.parameters);
    this.algorithm = pinsOf(variables.algorithm);
  }

  /**
   * Gives them up: what was read of them is not to be looked at any more. The event loop turns meanwhile, as large memory takes its time
   * to go. @throws Error the second time
   */
  async release(): Promise<void> {
    if (this.#isReleased) throw new Error('PinnedArrays: release() was called twice; call it once');
    this.#isReleased = true;
    const breaks = new EventLoopBreaks();
    for (const value of [...this.parameters.values(), ...this.algorithm.values()]) {
      value.release();
      await breaks.takeIfDue();
    }
  }
}

function pinsOf(variables: ReadonlyMap<string, SharedVariable>): Map<string, StoredValue> {
  return new Map([...variables].map(([name, variable]) => [name, variable.pin()]));
}
