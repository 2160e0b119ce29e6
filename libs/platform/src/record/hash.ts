import { createHash } from 'node:crypto';
import { canonicalJson } from '@longrun/serialization';

/** SHA-256 of a value's {@link canonicalJson}. */
export function sha256OfJson(value: unknown): string {
  return sha256Of(canonicalJson(value));
}

/** SHA-256 of a text or of bytes, in hexadecimal digits. */
export function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
