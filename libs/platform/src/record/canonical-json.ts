import { createHash } from 'node:crypto';

/** JSON with sorted keys: equal for values that are equal but for the order of their keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => sorted(inner));
}

/** SHA-256 of a value's {@link canonicalJson}. */
export function sha256OfJson(value: unknown): string {
  return sha256OfText(canonicalJson(value));
}

/** SHA-256 of a text, in hexadecimal digits. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
