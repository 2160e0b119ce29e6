/** How a submission is sent. */
export interface SubmissionOptions {
  /** The same key submits at most once, however often it is tried. Default: a new one. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** A key that no other request has: 32 hexadecimal digits. */
export function newIdempotencyKey(): string {
  // crypto.randomUUID is missing in a page that came over plain HTTP.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
