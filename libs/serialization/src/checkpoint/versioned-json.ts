import { z } from 'zod';

import { checkVersion, StateMismatch } from '../state.js';

/**
 * Reads JSON that has a version and the form of `schema`; `what` names it in errors.
 *
 * @throws NewerState if a newer build has written it, StateMismatch if it is something else.
 */
export function decodeVersionedJson<T>(
  what: string,
  bytes: Uint8Array,
  schema: z.ZodType<T>,
  supportedVersion: number,
): T {
  const value = parse(Buffer.from(bytes).toString());
  const versioned = versionedSchema.safeParse(value);
  if (!versioned.success) {
    throw new StateMismatch(`${what} is not a JSON object with a version; something else has been written there`);
  }
  checkVersion(what, versioned.data, supportedVersion);
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new StateMismatch(
      `${what} has another form than its version says: ${z.prettifyError(parsed.error)}; something else has been written there`,
    );
  }
  return parsed.data;
}

const versionedSchema = z.record(z.string(), z.json()).and(z.object({ version: z.number() }));

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
