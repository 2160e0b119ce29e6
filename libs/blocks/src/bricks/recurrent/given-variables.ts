import { formatShape, Variable } from '@longrun/tensor';

import type { BoundApplication } from '../bound-application.js';
import type { NamedVariables } from '../tagging.js';

/**
 * The variables that a recurrent application was called with, by name.
 *
 * @throws Error for what is no plain object of variables, and for a name that it does not have
 */
export function givenVariables(called: BoundApplication, argument: unknown): NamedVariables {
  const names = called.inputs ?? [];
  if (typeof argument !== 'object' || argument === null || argument instanceof Variable || Array.isArray(argument)) {
    throw new Error(`${called.toString()} takes variables by name; call it with { ${names.join(', ')} }`);
  }
  const given = Object.entries(argument).filter(([, value]) => value !== undefined);
  const variables: [string, Variable][] = [];
  for (const [name, value] of given) {
    if (!names.includes(name)) {
      throw new Error(`${called.toString()} has no input ${name}; it has ${names.join(', ')}`);
    }
    if (!(value instanceof Variable)) throw new Error(`${called.toString()}: ${name} is no variable; give one`);
    variables.push([name, value]);
  }
  return Object.fromEntries(variables);
}

/** Those of some names, in their order. */
export function pick(given: NamedVariables, names: readonly string[]): NamedVariables {
  const found = names.map((name) => [name, given[name]] as const);
  return Object.fromEntries(found.filter((entry): entry is readonly [string, Variable] => entry[1] !== undefined));
}

/**
 * Checks that sequences are of `(time, batch, ...)`, as far as the brick knows their sizes, and of one time and one batch.
 *
 * @throws Error naming the sequence that is not, or that is of another length
 */
export function checkSequences(called: BoundApplication, sequences: NamedVariables): void {
  for (const [name, { ndim }] of Object.entries(sequences)) {
    const axes = ['time', 'batch', ...axesOf(called, name)];
    const fits = called.brick.hasDim(name) ? ndim === axes.length : ndim >= 2;
    if (fits) continue;
    throw new Error(
      `${called.toString()}: ${name} has ${ndim} axes; give it those of (${axes.join(', ')}), or call it with { iterate: false }`,
    );
  }
  checkLengths(called, sequences, ['time', 'batch']);
}

/**
 * Checks that variables are of as many steps and examples as each other, as far as it is known; what is of one example may be for all.
 *
 * @param axes what their first axes are
 * @throws Error naming two that are not
 */
export function checkLengths(
  called: BoundApplication,
  given: NamedVariables,
  axes: readonly ('time' | 'batch')[],
): void {
  const [first, ...others] = Object.entries(given);
  if (first === undefined) return;
  const [against, { shape: expected }] = first;
  for (const [name, { shape }] of others) {
    const differs = axes.some((axis, at) => {
      const sizes = [shape[at], expected[at]];
      if (axis === 'batch' && sizes.includes(1)) return false;
      return sizes.every((size) => typeof size === 'number') && sizes[0] !== sizes[1];
    });
    if (!differs) continue;
    throw new Error(
      `${called.toString()}: ${name} has shape ${formatShape(shape)} but ${against} has shape ${formatShape(expected)}; ` +
        `both begin with (${axes.join(', ')}): make these the same, or transpose one`,
    );
  }
}

function axesOf({ brick }: BoundApplication, name: string): string[] {
  if (!brick.hasDim(name)) return ['...'];
  const dimension = brick.getDim(name);
  return dimension === 0 ? [] : [dimension].flat().map(String);
}
