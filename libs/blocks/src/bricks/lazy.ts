/**
 * A constructor argument that may be given later, by the user or by a parent brick, but before `allocate()`
 * (Blocks: `@lazy(allocation=[...])`).
 */
export class Lazy<T> {
  /** As it appears in errors. */
  readonly name: string;
  #value: T | undefined;

  constructor(value: T | undefined, name: string) {
    this.name = name;
    this.#value = value;
  }

  /** False until there is a value. */
  get isSet(): boolean {
    return this.#value !== undefined;
  }

  /** Throws as long as there is none. */
  get value(): T {
    if (this.#value === undefined) {
      throw new Error(`allocation config not set: ${this.name}; give it to the constructor or set ${this.name}.value`);
    }
    return this.#value;
  }

  set value(value: T) {
    this.#value = value;
  }
}

/** `this.inputDim = lazy(options.inputDim, 'inputDim')` */
export function lazy<T>(value: T | undefined, name: string): Lazy<T> {
  return new Lazy(value, name);
}

/**
 * Arguments `<name>[0]`, `<name>[1]`, ... that may be given later, `count` of them.
 *
 * @throws Error where there are values, but not as many
 */
export function lazyEach<T>(
  brick: LazyOwner,
  name: string,
  values: readonly (T | undefined)[] | undefined,
  count: number,
): Lazy<T>[] {
  if (values === undefined || values.length === count) {
    return Array.from({ length: count }, (_, place) => lazy(values?.[place], `${name}[${place}]`));
  }
  throw new Error(
    `${brick.uniquePath}: ${name} has ${values.length} entries but there are ${count} names; give one for each`,
  );
}

/** @throws Error naming the arguments of a brick that are missing, where any is */
export function requireLazies(brick: LazyOwner): void {
  const lazies = Object.values(brick)
    .flat()
    .filter((field): field is Lazy<unknown> => field instanceof Lazy);
  const missing = [...new Set(lazies)].filter((argument) => !argument.isSet).map((argument) => argument.name);
  if (missing.length === 0) return;
  throw new Error(
    `${brick.uniquePath}: allocation config not set: ${missing.join(', ')}; ` +
      `give ${missing.length === 1 ? 'it' : 'them'} to the constructor, or set ${missing.map((name) => `${name}.value`).join(', ')}`,
  );
}

/** What lazy arguments are fields of: a brick, as far as errors have to name it. */
export interface LazyOwner {
  readonly uniquePath: string;
}
