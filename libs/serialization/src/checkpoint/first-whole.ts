/**
 * What is read at the first of several keys at which it is whole. One that cannot be read now says nothing: where none is whole, that
 * error goes before those that say that something is damaged.
 *
 * @param damage the class of errors that say so
 */
export async function firstWhole<T>(
  keys: readonly string[],
  read: (key: string) => Promise<T>,
  damage: abstract new (...args: never[]) => Error,
): Promise<T> {
  const failures: unknown[] = [];
  for (const key of keys) {
    try {
      return await read(key);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures.find((failure) => !(failure instanceof damage)) ?? failures[0];
}
