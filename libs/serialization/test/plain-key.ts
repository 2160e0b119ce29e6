import type { ObjectStore } from '../src/store/object-store.js';

/** A key of a checkpoint without the random number that makes it one of its own; in that of a manifest it reads `again`. */
export function plainKey(key: string): string {
  return key.replace(/([0-9a-f]{64})-\d+$/u, '$1').replace(/(\/\d+-\d+)-\d+\.json$/u, '$1-again.json');
}

/** Keys of all objects under a prefix but the head, as {@link plainKey}. */
export async function plainKeysUnder(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) if (!key.endsWith('head.json')) keys.push(plainKey(key));
  return keys.toSorted();
}

/** The key with its number. @throws Error where there is none, or more than one */
export async function numberedKey(store: ObjectStore, plain: string): Promise<string> {
  const keys: string[] = [];
  for await (const { key } of store.list(plain)) keys.push(key);
  const [only] = keys;
  if (only === undefined || keys.length > 1) throw new Error(`there are ${keys.length} objects ${plain}`);
  return only;
}
