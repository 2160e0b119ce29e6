import { Lazy } from './lazy.js';

/** Something that knows how to copy itself as a part of something larger: a brick, or an application of one. */
export interface Copyable {
  /** A copy in which `copies` says what stands for other parts. */
  copyAmong(copies: BrickCopies): unknown;
}

/** The copies of bricks that were made so far: what is referred to twice is copied once. */
export class BrickCopies {
  readonly #made = new Map<object, unknown>();

  /** `value` with copies in the places of bricks, also in arrays, plain objects, maps and sets; all else is taken as it is. */
  of<T>(value: T): T {
    // A copy has the type of its original.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return this.#copyOf(value) as T;
  }

  /** Has `copy` stand for `original` from here on. */
  set(original: object, copy: unknown): void {
    this.#made.set(original, copy);
  }

  #copyOf(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (this.#made.has(value)) return this.#made.get(value);
    const copy = this.#copyOfObject(value);
    this.#made.set(value, copy);
    return copy;
  }

  #copyOfObject(value: object): unknown {
    if (isCopyable(value)) return value.copyAmong(this);
    if (Array.isArray(value)) return value.map((item: unknown) => this.#copyOf(item));
    if (value instanceof Set) return new Set([...value].map((item: unknown) => this.#copyOf(item)));
    if (value instanceof Map) {
      return new Map([...value].map(([key, item]: [unknown, unknown]) => [this.#copyOf(key), this.#copyOf(item)]));
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]: [string, unknown]) => [key, this.#copyOf(item)]));
  }
}

function isCopyable(value: object): value is Copyable {
  return 'copyAmong' in value && typeof value.copyAmong === 'function';
}

/** Gives a new copy what its original has in fields for lazy arguments, alone or in arrays, and for what is no object, alone or in arrays. */
export function carryOverFields(original: object, copy: object): void {
  for (const [field, value] of Object.entries(original)) {
    const own: unknown = Reflect.get(copy, field);
    if (field !== 'name' && [value, own].every(isPlain)) Object.assign(copy, { [field]: value });
    const copied = [own].flat();
    for (const [at, argument] of [value].flat().entries()) {
      const counterpart = copied[at];
      if (argument instanceof Lazy && argument.isSet && counterpart instanceof Lazy) counterpart.value = argument.value;
    }
  }
}

/** @throws Error where the children of a new copy are not those of its original, by name and class */
export function checkChildren(original: Parent, copy: Parent): void {
  const [theirs, own] = [original, copy].map(({ children }) => children.map(shown).join(', ') || 'none');
  if (theirs === own) return;
  throw new Error(
    `${original.uniquePath} cannot be copied: its constructor adds the children ${own} but it has ${theirs}; ` +
      'add them all in the constructor',
  );
}

/** Says that the class of a brick does not construct copies by its options. */
export function notHandedUp(brick: Named): string {
  return (
    `${brick.uniquePath} cannot be copied: ${brick.constructor.name} does not hand up the options that it is given; ` +
    'call super(options) with them, or override constructorArguments()'
  );
}

/** A brick, as far as it is told what is wrong with its copy. */
interface Named {
  readonly name: string;
  readonly uniquePath: string;
}

interface Parent extends Named {
  readonly children: readonly Named[];
}

function shown(brick: Named): string {
  return `${brick.name} (${brick.constructor.name})`;
}

function isPlain(value: unknown): boolean {
  return Array.isArray(value) ? !value.some(isObject) : !isObject(value);
}

function isObject(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}
