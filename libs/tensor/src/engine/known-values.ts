import type { NdArray } from '@longrun/serialization';

import { Constant } from '../graph/constant.js';
import { describe, type Variable } from '../graph/variable.js';

/** Values of variables while a graph is run. */
export class KnownValues<V> {
  readonly #name: string;
  readonly #ofConstant: (value: NdArray) => V;
  readonly #values = new Map<Variable, V>();

  /** @param name For errors. */
  constructor(name: string, ofConstant: (value: NdArray) => V) {
    this.#name = name;
    this.#ofConstant = ofConstant;
  }

  /** Takes in more. What was known stays as it was: an intermediate variable that is an input is not computed. */
  add(variables: readonly Variable[], values: readonly V[]): void {
    for (const [at, variable] of variables.entries()) {
      const value = values[at];
      if (value === undefined) throw new Error(`${this.#name}: ${describe(variable)} has no value`);
      if (!this.#values.has(variable)) this.#values.set(variable, value);
    }
  }

  /** The value, also of a constant. @throws Error when it has none */
  of(variable: Variable): V {
    const value = this.#values.get(variable);
    if (value !== undefined) return value;
    if (variable instanceof Constant) return this.#ofConstant(variable.value);
    throw new Error(`${this.#name}: ${describe(variable)} has no value`);
  }
}
