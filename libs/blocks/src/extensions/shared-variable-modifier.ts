import type { NdArray } from '@longrun/serialization';
import type { SharedVariable } from '@longrun/tensor';

import { filled } from '../bricks/brick-variables.js';
import { SimpleExtension, type SimpleExtensionOptions } from './simple-extension.js';

/** The value that a variable has from here on, from how many batches are done and the value that it has. */
export type Modification = (iterationsDone: number, oldValue: NdArray) => number | NdArray;

/**
 * Gives a shared variable another value as training goes on, by default after each batch: a learning rate that falls. A number is one for every
 * element. For learning rates that follow from the number of steps alone, the step rule `Schedule` needs no call of a function between two batches.
 */
export class SharedVariableModifier extends SimpleExtension {
  readonly parameter: SharedVariable;
  readonly #modify: Modification;

  /** @param modify Depends on its arguments only, so that training that goes on from a checkpoint has the same values. */
  constructor(parameter: SharedVariable, modify: Modification, options: SimpleExtensionOptions = {}) {
    super(options, { afterBatch: true });
    this.parameter = parameter;
    this.#modify = modify;
  }

  override get updatedVariables(): readonly SharedVariable[] {
    return [this.parameter];
  }

  override async do(): Promise<void> {
    const old = await this.parameter.getValue();
    const value = this.#modify(this.mainLoop.status.iterationsDone, old);
    if (typeof value !== 'number') return this.parameter.setValue(value);
    const array = filled(old.dtype, old.shape, value);
    if (array === undefined) throw new Error(`${this.name}: ${value} is no ${old.dtype}; give a value that it has`);
    this.parameter.setValue(array);
  }
}
