/** Something that knows how to copy itself within the copy of a larger thing. */
export interface DeepCopyable {
  /** A copy in which everything that `copies` knows is replaced by its copy; it enters itself there. */
  deepCopy(copies: Copies): unknown;
}

/** The copies made so far, by original: what is referred to twice is copied once. */
export type Copies = Map<object, unknown>;

/** A copy of arrays, maps, plain objects and {@link DeepCopyable}s, all the way down; the rest is taken as it is. */
export function deepCopy<T>(value: T, copies: Copies): T {
  // A copy has the type of its original.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return copyOf(value, copies) as T;
}

function copyOf(value: unknown, copies: Copies): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  if (isDeepCopyable(value)) return value.deepCopy(copies);
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    copies.set(value, copy);
    for (const item of value) copy.push(copyOf(item, copies));
    return copy;
  }
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>();
    copies.set(value, copy);
    for (const [key, item] of value) copy.set(copyOf(key, copies), copyOf(item, copies));
    return copy;
  }
  if (Object.getPrototypeOf(value) === Object.prototype) {
    const copy: Record<string, unknown> = {};
    copies.set(value, copy);
    for (const [key, item] of Object.entries(value)) copy[key] = copyOf(item, copies);
    return copy;
  }
  return value;
}

function isDeepCopyable(value: object): value is DeepCopyable {
  return 'deepCopy' in value && typeof value.deepCopy === 'function';
}
