import { z } from 'zod';

import { StateMismatch } from '../state.js';
import type { StateKind } from '../state-kind.js';

/**
 * Reads the JSON of a kind, in the version of this build or an earlier one; `schema` is the form of the present version, and `what` names
 * it in errors.
 *
 * @throws NewerState if a newer build has written it, StateMismatch if it is something else.
 */
export function decodeVersionedJson<T>(what: string, bytes: Uint8Array, kind: StateKind, schema: z.ZodType<T>): T {
  const versioned = versionedSchema.safeParse(parse(Buffer.from(bytes).toString()));
  if (!versioned.success) {
    throw new StateMismatch(`${what} is not a JSON object with a version; something else has been written there`);
  }
  const parsed = schema.safeParse(kind.read(versioned.data, what));
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
