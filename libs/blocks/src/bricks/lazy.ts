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
