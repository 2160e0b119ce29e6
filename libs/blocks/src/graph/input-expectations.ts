import type { NdArray } from '@longrun/serialization';
import { formatShape, shapeFits, type Dim, type Variable } from '@longrun/tensor';

import type { BoundApplication } from '../bricks/bound-application.js';
import { expectedSizes } from '../bricks/input-sizes.js';
import { getApplicationCall } from './provenance.js';
import { hasRoles, INPUT } from '../roles.js';
import { blocksName } from './annotations.js';

/** What the array of a source must be like to become an input of the graph. */
export class InputExpectation {
  readonly source: string;
  readonly #variable: Variable;
  readonly #uses: readonly InputUse[];

  constructor(source: string, variable: Variable, uses: readonly InputUse[]) {
    this.source = source;
    this.#variable = variable;
    this.#uses = uses;
  }

  /** @throws Error naming the source, the bricks that use it, and both shapes or dtypes */
  check(array: NdArray): void {
    const { dtype, shape } = this.#variable.type;
    if (array.dtype !== dtype) {
      throw new Error(
        `Source ${this.source} of the batch is ${array.dtype} but ${this.#described()} is ${dtype}; ` +
          `put a Cast around the stream, or declare the input as ${array.dtype}`,
      );
    }
    if (!shapeFits(array.shape, shape)) throw new Error(this.#shapeMismatch(array, shape, this.#described()));
    for (const { called, name, sizes } of this.#uses) {
      if (shapeFits(array.shape.slice(-sizes.length), sizes)) continue;
      const expected = [...shape.slice(0, -sizes.length), ...sizes];
      throw new Error(this.#shapeMismatch(array, expected, `${name} of ${called.toString()}`));
    }
  }

  #shapeMismatch(array: NdArray, expected: readonly Dim[], by: string): string {
    return (
      `Source ${this.source} of the batch has shape ${formatShape(array.shape)} but ${by} ` +
      `takes ${formatShape(expected)}; change the stream (Flatten, ScaleAndShift, ...) or the dims of the brick`
    );
  }

  #described(): string {
    const users = this.#uses.map(({ called }) => called.toString());
    const used = users.length === 0 ? '' : `, used by ${users.join(', ')},`;
    return `the input ${this.source} of the graph${used}`;
  }
}

/** One use of an input of the graph by a brick that knows its sizes. */
export interface InputUse {
  readonly called: BoundApplication;
  /** Which input of the application it is. */
  readonly name: string;
  /** Sizes of the last axes. */
  readonly sizes: readonly number[];
}

/** What is expected of each input, from its type and from the bricks that take it as it is. */
export function inputExpectations(
  inputs: readonly (readonly [string, Variable])[],
  variables: readonly Variable[],
): InputExpectation[] {
  const origins = new Map<Variable, Variable>(inputs.map(([, variable]) => [variable, variable]));
  const uses = new Map<Variable, InputUse[]>();
  for (const variable of variables) {
    // Inputs of applications are copies, of inputs of the graph or of such copies.
    const origin = origins.get(variable.owner?.inputs[0] ?? variable);
    const call = getApplicationCall(variable);
    if (origin === undefined || call === undefined || !hasRoles(variable, [INPUT])) continue;
    origins.set(variable, origin);
    const name = blocksName(variable) ?? 'input';
    const sizes = expectedSizes(call.application, name);
    if (sizes === undefined) continue;
    uses.set(origin, [...(uses.get(origin) ?? []), { called: call.application, name, sizes }]);
  }
  return inputs.map(([source, variable]) => new InputExpectation(source, variable, uses.get(variable) ?? []));
}
