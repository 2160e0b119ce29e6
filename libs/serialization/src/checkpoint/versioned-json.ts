import { z } from 'zod';

import { type Json, StateMismatch } from '../state.js';
import type { StateKind } from '../state-kind.js';

/**
 * Reads the JSON of a kind, in the version of this build or an earlier one; `schema` is the form of the present version, and `what` names
 * it in errors.
 *
 * @throws NewerState if a newer build has written it, StateMismatch if it is something else.
 */
export function decodeVersionedJson<T>(what: string, bytes: Uint8Array, kind: StateKind, schema: z.ZodType<T>): T {
  const value = parse(Buffer.from(bytes).toString());
  if (isDeeperThan(MOST_LEVELS, value)) {
    throw new StateMismatch(`${what} nests deeper than ${MOST_LEVELS} levels; something else has been written there`);
  }
  const versioned = versionedSchema.safeParse(value);
  if (!versioned.success) {
    throw new StateMismatch(`${what} is not a JSON object with a version; something else has been written there`);
  }
  const parsed = schema.safeParse(kind.read(versioned.data, what));
  if (!parsed.success) {
    throw new StateMismatch(
      `${what} has another form than its version says: ${z.prettifyError(parsed.error).slice(0, LONGEST_REASON)}; something else has been written there`,
    );
  }
  return parsed.data;
}

/** Any value, of what was parsed as JSON: whatever it holds is JSON, too. */
export const parsedJson = z.custom<Json>((value) => value !== undefined);

const versionedSchema = z.object({ version: z.number() }).catchall(parsedJson);

/** More than what a user can have in a spec or a program in a row of the log, and less than writing JSON can bear. */
const MOST_LEVELS = 2_000;
/** There are as many faults as there are entries. */
const LONGEST_REASON = 2_000;

function isDeeperThan(most: number, value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
