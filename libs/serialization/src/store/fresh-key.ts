import { randomInt } from 'node:crypto';

/** A key that nothing had before or will have again: what is removed late, by a request that was given up, is nothing that was written since. */
export function freshKey(key: string): string {
  return `${key}-${randomInt(2 ** 47)}`;
}
