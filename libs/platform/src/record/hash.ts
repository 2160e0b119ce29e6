import { createHash } from 'node:crypto';
import { canonicalJson } from '@longrun/serialization';

/** SHA-256 of a value's {@link canonicalJson}. */
export function sha256OfJson(value: unknown): string {
  return sha256OfText(canonicalJson(value));
}

/** SHA-256 of a text, in hexadecimal digits. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
