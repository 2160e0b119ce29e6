/**
 * The open bag of notes that every variable carries; Theano's `tag`.
 *
 * Entries are addressed by typed keys, so that rooms above can attach what they like without this one knowing it.
 */
export class Tag {
  readonly #entries = new Map<object, unknown>();

  /** The entry under `key`, or undefined. */
  get<T>(key: TagKey<T>): T | undefined {
    // Only `set` writes the map, and it pairs each key with a value of the key's own type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return this.#entries.get(key) as T | undefined;
  }

  set<T>(key: TagKey<T>, value: T): void {
    this.#entries.set(key, value);
  }

  has<T>(key: TagKey<T>): boolean {
    return this.#entries.has(key);
  }

  delete<T>(key: TagKey<T>): boolean {
    return this.#entries.delete(key);
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Copies every entry of `other` into this tag; entries already here under the same key are replaced. */
  assign(other: Tag): void {
    for (const [key, value] of other.#entries) this.#entries.set(key, value);
  }
}

/** Names one kind of entry of a {@link Tag}. Keys are compared by identity; `name` is for people. */
export interface TagKey<T> {
  readonly name: string;
  /** Never set: it ties the key to the type of its entries. */
  readonly type?: (value: T) => T;
}

/** Makes a key for entries of type `T`: `const ROLES = tagKey<Role[]>('roles')`. */
export function tagKey<T>(name: string): TagKey<T> {
  return { name };
}
