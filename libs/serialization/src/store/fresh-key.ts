import type { ObjectStore } from './object-store.js';

/**
 * The first of `key`, `key-2`, `key-3` and so on that is not taken and has no object: so what is written never has the key of something
 * that is about to be removed.
 */
export async function freshKey(store: ObjectStore, key: string, isTaken: (key: string) => boolean): Promise<string> {
  for (let number = 1; ; number += 1) {
    const next = number === 1 ? key : `${key}-${number}`;
    if (!isTaken(next) && (await store.head(next)) === undefined) return next;
  }
}
