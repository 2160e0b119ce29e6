/** A key that no object can have, or none beside those that are there. */
export class InvalidKey extends Error {
  override readonly name = 'InvalidKey';
}

/** Checks a key. @throws InvalidKey saying what is wrong with it. */
export function checkKey(key: string): void {
  const segments = key.split('/');
  const wrong = segments.find((segment) => !SEGMENT.test(segment));
  if (wrong === undefined && key.length <= MAX_KEY_CHARACTERS) return;
  const reason =
    wrong === undefined
      ? `it has more than ${MAX_KEY_CHARACTERS} characters`
      : `its segment ${JSON.stringify(wrong)} is not allowed`;
  throw new InvalidKey(
    `object key ${JSON.stringify(key)}: ${reason}; give segments of 1 to 200 of A-Z a-z 0-9 . _ - = + @ , parted by single ` +
      `slashes, none starting with a dot`,
  );
}

/** Checks where a list begins: any start of keys. @throws InvalidKey if no key starts so */
export function checkPrefix(prefix: string): void {
  if (prefix.includes('/')) checkKey(prefix.slice(0, prefix.lastIndexOf('/')));
}

/** What a store puts behind the key of a register, to tell it from an object. No key contains this character. */
export const REGISTER_SUFFIX = '~';

const SEGMENT = /^[\w\-=+@,][\w.\-=+@,]{0,199}$/u;
const MAX_KEY_CHARACTERS = 900;
