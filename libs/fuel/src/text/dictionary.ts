import { createHash } from 'node:crypto';

/** The number of each token, from 0. */
export type Dictionary = ReadonlyMap<string, number> | Readonly<Record<string, number>>;

/** The numbers of tokens, to be looked up. @throws RangeError for a number that is none from 0 */
export function numbersOf(dictionary: Dictionary): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>(isMap(dictionary) ? dictionary : Object.entries(dictionary));
  for (const [token, number] of numbers) {
    if (Number.isSafeInteger(number) && number >= 0) continue;
    throw new RangeError(`the dictionary has ${number} for ${JSON.stringify(token)}; give a whole number from 0`);
  }
  return numbers;
}

/** The number of a token that has to be there. @throws RangeError when it is not */
export function numberIn(numbers: ReadonlyMap<string, number>, token: string): number {
  const number = numbers.get(token);
  if (number !== undefined) return number;
  throw new RangeError(`the dictionary has no ${token}; add it, or name the token that it has instead`);
}

/** Tells dictionaries apart. */
export function dictionaryDigest(numbers: ReadonlyMap<string, number>): string {
  const hash = createHash('sha256');
  for (const [token, number] of numbers) hash.update(JSON.stringify([token, number]));
  return `${numbers.size} tokens, sha256 ${hash.digest('hex').slice(0, 16)}`;
}

function isMap(dictionary: Dictionary): dictionary is ReadonlyMap<string, number> {
  return dictionary instanceof Map;
}
