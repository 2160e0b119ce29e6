import { inspect } from 'node:util';

import { isFloat, TensorTypeError } from './tensor-type.js';
import { describe, Variable } from './variable.js';

/** What an argument of a function may be: how it is told, and what else it may not be. */
const KINDS = {
  variable: { wanted: 'a variable', fits: (value) => value instanceof Variable },
  /** A {@link Variable}, or a number that becomes a constant. */
  operand: { wanted: 'a variable or a number', fits: isNumberOrVariable },
  /** What gradients are taken of: null where it is known where they start. */
  cost: {
    wanted: 'a variable, or null beside knownGrads',
    fits: (value) => value === null || value instanceof Variable,
  },
  variables: { wanted: 'a list of variables', fits: isListOfVariables },
  /** A size or a position, which may be computed. */
  size: { wanted: 'an integer or an integer scalar', fits: isIntegerOrScalar },
  /** One for each axis. */
  sizes: { wanted: 'a list of sizes, each an integer or an integer scalar', fits: isListOf(isIntegerOrScalar) },
  bound: {
    wanted: 'an integer, an integer scalar, or null for the end',
    fits: (value) => isNothing(value) || isIntegerOrScalar(value),
  },
  number: { wanted: 'a number', fits: (value) => typeof value === 'number' },
  integer: { wanted: 'an integer', fits: (value) => Number.isInteger(value) },
  integers: { wanted: 'a list of integers', fits: isListOf((entry) => typeof entry === 'number') },
  /** What is known of a shape. */
  dims: {
    wanted: 'a list of sizes, each an integer of 0 or more, a name, or null where it is unknown',
    fits: isListOf((entry) => entry === null || typeof entry === 'number' || typeof entry === 'string'),
  },
  order: {
    wanted: "a list of axes, with 'x' for a new one",
    fits: isListOf((entry) => typeof entry === 'number' || entry === 'x'),
  },
  /** Of `scan`. */
  sequences: {
    wanted: 'a list of variables, or of { input, taps }',
    fits: isListOf((entry) => entry instanceof Variable || isTapped(entry, 'input')),
  },
  states: {
    wanted: 'a list of variables, of { initial, taps }, or of null where there is no state',
    fits: isListOf((entry) => entry === null || entry instanceof Variable || isTapped(entry, 'initial')),
  },
  padding: {
    wanted: 'an integer, or a list of pairs of them, one for each axis',
    fits: (value) => typeof value === 'number' || isListOf(isListOf((entry) => typeof entry === 'number'))(value),
  },
  pairing: {
    wanted: 'a number of axes, or a pair of lists of them',
    fits: (value) => typeof value === 'number' || isPairOfLists(value),
  },
  map: { wanted: 'a Map of variables', fits: isMapOfVariables },
  /** What has a check of its own. */
  any: { wanted: 'anything', fits: () => true },
  iterable: { wanted: 'a list, or what can be gone through as one', fits: isIterable },
  text: { wanted: 'a text', fits: (value) => typeof value === 'string' },
  function: { wanted: 'a function', fits: (value) => typeof value === 'function' },
  options: { wanted: 'an object of options', fits: isOptions },
} as const satisfies Readonly<Record<string, { wanted: string; fits: (value: unknown) => boolean }>>;

/** See {@link checkArguments}. */
export type ArgumentKind = keyof typeof KINDS;

/**
 * For functions that are called from programs, which may be written without types.
 *
 * @param given the first arguments of the function `name`, in their order
 * @throws TensorTypeError naming the function and the argument, with what it is and what it may be, where one is of another kind
 */
export function checkArguments(
  name: string,
  ...given: readonly (readonly [argument: string, value: unknown, kind: ArgumentKind])[]
): void {
  for (const [position, [argument, value, kind]] of given.entries()) {
    if (!KINDS[kind].fits(value)) throw wrong(name, `argument ${position + 1}, ${argument},`, value, kind);
  }
}

/** As {@link checkArguments}, of an option; one that is left out has a default. */
export function checkOption(name: string, option: string, value: unknown, kind: ArgumentKind): void {
  if (value !== undefined && !KINDS[kind].fits(value)) throw wrong(name, `option ${option}`, value, kind);
}

function wrong(name: string, what: string, value: unknown, kind: ArgumentKind): TensorTypeError {
  return new TensorTypeError(`${name}: ${what} is ${shown(value)}; give ${KINDS[kind].wanted}`);
}

/** What a function of the program gave that makes a graph: one variable, or a list of them. */
export function variablesFrom(name: string, what: string, results: unknown): readonly Variable[] {
  if (results instanceof Variable) return [results];
  if (isListOfVariables(results)) return results;
  throw new TensorTypeError(`${name}: ${what} gave ${shown(results)}; return a variable or a list of them`);
}

/** A value of any kind, in short: for errors. */
export function shown(value: unknown): string {
  if (value instanceof Variable) return describe(value);
  if (Array.isArray(value)) {
    const [first, rest] = [value.slice(0, MOST_SHOWN), value.length - MOST_SHOWN];
    return `[${[...first.map(shown), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ')}]`;
  }
  if (typeof value === 'string' && value.length <= MOST_LETTERS) return JSON.stringify(value);
  return inspect(value, { depth: 0, maxArrayLength: 3, maxStringLength: MOST_LETTERS, breakLength: Infinity });
}

const MOST_SHOWN = 4;
const MOST_LETTERS = 30;

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}

function isNumberOrVariable(value: unknown): boolean {
  return typeof value === 'number' || value instanceof Variable;
}

/** What serves as a size or a position that is computed. */
export function isIntegerScalar({ dtype, ndim }: Variable): boolean {
  return ndim === 0 && !isFloat(dtype) && dtype !== 'bool';
}

function isIntegerOrScalar(value: unknown): boolean {
  return value instanceof Variable ? isIntegerScalar(value) : Number.isInteger(value);
}

function isListOf(fits: (entry: unknown) => boolean): (value: unknown) => boolean {
  // From an array of its own, as `every` leaves out the holes of a list.
  return (value) => Array.isArray(value) && Array.from<unknown>(value).every(fits);
}

function isListOfVariables(value: unknown): value is readonly Variable[] {
  return isListOf((entry) => entry instanceof Variable)(value);
}

function isMapOfVariables(value: unknown): boolean {
  return value instanceof Map && isListOfVariables([...value.keys(), ...value.values()]);
}

function isPairOfLists(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && isListOf(isListOf((entry) => typeof entry === 'number'))(value);
}

function isTapped(value: unknown, variable: 'input' | 'initial'): boolean {
  if (typeof value !== 'object' || value === null || !('taps' in value)) return false;
  const of: unknown = Reflect.get(value, variable);
  return of instanceof Variable && isListOf((entry) => typeof entry === 'number')(value.taps);
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Variable);
}
