import type { NdArray } from '@longrun/serialization';

import { Constant } from '../graph/constant.js';
import { describe, type Variable } from '../graph/variable.js';

/** Values of variables while a graph is run. */
export class KnownValues {
  readonly #name: string;
  readonly #values = new Map<Variable, NdArray>();

  /** Those of `variables`, in order. `name` is for errors. */
  constructor(name: string, variables: readonly Variable[], values: readonly NdArray[]) {
    this.#name = name;
    this.add(variables, values);
  }

  /** Takes in more. What was known stays as it was: an intermediate variable that is an input is not computed. */
  add(variables: readonly Variable[], values: readonly NdArray[]): void {
    for (const [at, variable] of variables.entries()) {
      const value = values[at];
      if (value === undefined) throw new Error(`${this.#name}: ${describe(variable)} has no value`);
      if (!this.#values.has(variable)) this.#values.set(variable, value);
    }
  }

  /** The value, also of a constant. @throws Error when it has none */
  of(variable: Variable): NdArray {
    const value = this.#values.get(variable) ?? (variable instanceof Constant ? variable.value : undefined);
    if (value === undefined) throw new Error(`${this.#name}: ${describe(variable)} has no value`);
    return value;
  }
}
